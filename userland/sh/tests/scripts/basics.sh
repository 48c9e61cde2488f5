# Words, quotes and expansions.
a=1 b="two words" c=
echo "$a" $b "$b" "$c" x$c
echo '$a' "\$a" \$a a\ b
echo "${a}x" ${b#two } ${b%words}
echo ${u-unset} ${u:-empty} ${c:-empty} ${c-not} ${#b} ${a:+yes} "${u:-a b}"
: ${new=assigned}; echo $new
f=/usr/local/lib/file.tar.gz
echo ${f##*/} ${f%/*} ${f%%.*} ${f#*/} "${f%.gz}"
set -- one "two three" four
for i in "$@"; do echo "[$i]"; done
for i in $*; do echo "<$i>"; done
for i in "$*"; do echo "{$i}"; done
for i; do echo "($i)"; done
IFS=:; set -- x y z; echo "$*"; p=a:b::c; for i in $p; do echo "[$i]"; done
IFS=' :'; p='a : b:c  d'; for i in $p; do echo "<$i>"; done
unset IFS
echo $# $1; shift; echo $# $1
echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((7%3)) $((1<<10)) $((a+1)) $((a==1?5:6))
x=5; echo $((x+=3)) $x $((x*2)) $((-x)) $((!x)) $((~x))
echo `echo back \`echo quoted\`` $(echo sub $(echo nested))
echo "$(printf 'a\n\n\n')"end
echo ~root ~/x "~" a~
echo "a'b" 'a"b' "a\"b" a"b"c'd'
case abc in a*) echo star;; *) echo no;; esac
case "a*" in "a*") echo quoted;; esac
case x in a|b) echo ab;; x|y) echo xy;; esac
case '[' in [[]) echo bracket;; esac
echo "${b:-"quoted }"}" ${u:-'single }'}
y='*'; echo "$y" "x${y}x"
echo a{b,c}d
cat <<END
here $a ${b} $(echo cmd) \$a "quoted" 'single' $((2+2))
END
cat <<'END'
raw $a \$b
END
cat <<-END
	tabs removed
		twice
	END
cat <<A; cat <<B
first
A
second
B
echo done
