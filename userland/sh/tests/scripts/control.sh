# Control flow, functions, status, redirections.
if true; then echo t; else echo f; fi
if false; then echo t; elif true; then echo elif; else echo f; fi
i=0; while [ $i -lt 3 ]; do echo w$i; i=$((i+1)); done
until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i
for i in 1 2 3 4 5; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done
f() { echo "f $# $1"; return 3; }
f a b; echo $?
g() { local v=inner; echo $v; h; }; h() { echo "h $v"; }; v=outer; g; echo $v
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1-1))) )); fi; }; fact 10
(exit 4); echo $?
! true; echo $?
! false; echo $?
true && echo and || echo or
false && echo and || echo or
{ echo brace; echo group; } | tr a-z A-Z
(cd /; pwd); 
x=1; (x=2; echo $x); echo $x
echo a | { read v; echo "got $v"; }
printf '1 2 3\n4 5 6\n' | while read a b c; do echo "$c-$b-$a"; done
echo "a:b:c" | (IFS=: read x y; echo "$x|$y")
printf 'a\\b\n' | (read -r x; printf '%s\n' "$x"); printf 'a\\b c\\\nd\n' | (read x; echo "$x")
echo err >&2 2>/dev/null
{ echo out; echo err >&2; } 2>&1 | sort
exec 3>tmp.$$; echo three >&3; exec 3>&-; cat tmp.$$; echo more >> tmp.$$; wc -l < tmp.$$ | tr -d ' '
rm tmp.$$
cat < /dev/null; echo $?
nosuchcommand 2>/dev/null; echo $?
/ 2>/dev/null; echo $?
trap 'echo exit trap $?' EXIT
trap 'echo usr1' USR1; kill -USR1 $$; echo after
trap '' USR2; kill -USR2 $$; echo survived
trap - USR1 USR2
(trap 'echo sub exit' EXIT; exit 5); echo $?
eval 'echo eval $x'; eval "y='a b'"; echo "$y"
set -- -a -b val -c rest; while getopts ab:c o; do echo "$o $OPTARG"; done; shift $((OPTIND-1)); echo $1
set -e; false || echo or-ok; if false; then :; fi; ! true; echo still; set +e
(set -e; false; echo not) ; echo $?
(set -u; echo $undefined) 2>/dev/null; echo $?
command -v cd; command -v f; type true >/dev/null && echo type
alias ll='echo aliased'
ll x
unalias ll
unset x; echo ${x-unset}
readonly r=1; (r=2) 2>/dev/null; echo $?
sleep 0.1 & wait $!; echo $?
(exit 7) & wait $!; echo $?
sh_pid=$$; (echo $(( $$ == sh_pid )))
kill -l 9; umask 022; umask
test -f /etc/passwd && [ -d / ] && [ ! -e /nope ] && echo files
[ a = a -a b != c ]; echo $?
[ "(" = "(" ]; echo $?
echo "x$(true)y"; echo $(false); echo $?
v=$(exit 9); echo $?
a=1 b=2 env | grep -E '^(a|b)=' | sort
cd /tmp; cd ..; pwd; cd - >/dev/null; pwd
echo a; echo b & wait
case $- in *i*) echo i;; *) echo noni;; esac
printf '%s-%d\n' a 1 b 2
echo "unterminated is fine" # comment
exec echo replaced
