# Runs with Debian's static busybox in a guest, with the embedded userland, and
# with the tools of the host: the output must be the same, byte for byte. The
# working directory is empty. Mostly files, and jobs without a terminal.
LC_ALL=C
export LC_ALL
TZ=UTC
export TZ
umask 022

echo "== directories"
mkdir -p a/b/c a/d "a/with space"
for n in 1 2 3 4 5 6 7 8 9 10; do echo "file $n" > a/b/f$n; done
echo deep > a/b/c/deep
ls a a/b
ls -1 a/b | wc -l | tr -d ' '
ls -a a/d
ls -F a
ls -r a/b | head -n 3
ls -d a/*
find a | sort
find a -type f -name 'f*' | sort | tail -n 2
find a -type d -name '*space*'
find a -mindepth 1 -maxdepth 1 | sort
find a -name 'f1*' -exec echo found {} \; | sort
find a -type f ! -name 'f*'
find a -name deep -o -name f7 | sort
find a -type f -print0 | xargs -0 cat | sort | uniq -c | wc -l | tr -d ' '
find a -empty -type d | sort
find a -size +0 -type f | wc -l | tr -d ' '
find a -newer a/b/f1 -type f -name 'f0'
find a -name 'f?' -prune -o -name 'f10' -print
find nowhere 2>/dev/null; echo "status $?"

echo "== copies"
cp -r a copy
find copy | sort | md5sum
cat copy/b/f3
cp a/b/f1 a/b/f2 a/d
ls a/d
cp -p a/b/f1 kept; cmp a/b/f1 kept && echo same
cp a/b/f1 nowhere/x 2>/dev/null; echo "status $?"
cp -a a kept2; diff -r a kept2 && echo "no difference"
ln -s f1 a/b/link; cp -P a/b/link l1; readlink l1
cp -L a/b/link l2; test -L l2 || cat l2
cp -r a/b/link . ; test -L link && echo "still a link"

echo "== moves"
mv kept moved; cat moved; test -e kept || echo gone
mv copy/b copy/e; ls copy
mv moved copy/e; ls copy/e | tail -n 2
echo new > over; echo old > under; mv -f over under; cat under
mv nowhere elsewhere 2>/dev/null; echo "status $?"
mkdir m1 m2; echo x > m1/x; mv m1 m2; find m2 | sort

echo "== removals"
rm a/d/f1; ls a/d
rm nowhere 2>/dev/null; echo "status $?"
rm -f nowhere; echo "status $?"
rmdir a 2>/dev/null; echo "status $?"
rm -r a/b/c; test -d a/b/c || echo gone
rm -rf copy kept2; ls -d copy kept2 2>/dev/null || echo "both gone"
mkdir -p r/s/t; rmdir -p r/s/t; test -d r || echo "all gone"
unlink under; test -e under || echo unlinked

echo "== links and modes"
echo text > t; ln t hard; ln -s t soft; ln -sf hard soft
stat -c '%h %s %F' t
stat -c '%a %F %N' soft 2>/dev/null | cut -c 1-17
readlink soft; readlink -f soft | sed 's,.*/,,'
ls -l t hard | cut -c 1-10
chmod 600 t; stat -c %a hard
chmod u+x,g=r,o-r t; stat -c %a t
chmod a+X,go= a/d; stat -c %a a/d
chmod -R 755 a; find a -perm 755 | sort | head -n 3
umask 077; echo > private; stat -c %a private; umask 022
touch -d '2001-02-03 04:05:06' t; stat -c '%y' t | cut -c 1-19
touch -t 200203040506.07 t; stat -c %Y t
touch -r t ref; stat -c %Y ref
test t -nt a/b/f1 || echo older
mkfifo p; test -p p && echo fifo
(echo through > p) & cat p; wait
ln -s nowhere dangling; cat dangling 2>/dev/null || echo dangling
truncate -s 1000000 sparse; stat -c '%s' sparse; du -k sparse | cut -f 1
dd if=/dev/zero of=sparse bs=1 count=1 seek=2000000 conv=notrunc 2>/dev/null; wc -c < sparse | tr -d ' '

echo "== dd, od and friends"
printf '0123456789abcdefghij' > d
dd if=d bs=4 skip=1 count=2 2>/dev/null; echo
dd if=d of=d2 bs=3 2>/dev/null; cmp d d2 && echo equal
printf XX | dd of=d bs=1 seek=5 conv=notrunc 2>/dev/null; cat d; echo
od -c d | head -n 2
od -An -tx1 d | head -n 1
od -An -tu2 -N 4 d
od -b -N 8 d
head -c 5 d; echo; tail -c 5 d; echo
head -n -2 a/b/f1; printf '1\n2\n3\n' | head -n -1; printf '1\n2\n3\n' | tail -n +2
cmp d d2; echo "status $?"
md5sum d; sha1sum d; sha512sum d | cut -c 1-32
base64 d; base64 d | base64 -d | cmp - d && echo decoded
wc -l a/b/f1; wc -w < a/b/f1 | tr -d ' '; printf 'no newline' | wc -l | tr -d ' '
printf 'a\tb\n' | expand | od -c | head -n 1
rev < d 2>/dev/null | head -c 0; tac a/b/f1
nl -ba a/b/f2 2>/dev/null | tr -s ' \t' ' '
fold -w 7 d
paste a/b/f1 a/b/f2; paste -d, -s a/b/f1 a/b/f2
printf 'b 2\na 1\n' | sort > j1; printf 'a x\nb y\n' > j2
tee tee1 < d > tee2; cmp tee1 tee2 && echo both
seq 3; seq 2 3 9; seq -s, 1 5; seq 5 -2 1
basename /x/y.c .c; dirname /x/y/z; basename /; dirname x
expr 3 + 4 \* 2; expr abc : 'a\(.\)c'; expr length hello 2>/dev/null; expr 5 \> 3
factor 360 97 2>/dev/null
yes no | head -n 2; true; echo $?; false; echo $?
mktemp -d tmp.XXXXXX > name; test -d "$(cat name)" && echo made; rmdir "$(cat name)"

echo "== sort, uniq, cut, tr"
printf '10\n9\n2\n1\n' | sort; printf '10\n9\n2\n1\n' | sort -n; printf '10\n9\n2\n' | sort -rn
printf 'b:2:x\na:10:y\nc:1:z\n' | sort -t: -k2,2n; printf 'b:2:x\na:10:y\n' | sort -t : -k 2
printf 'a\nb\na\n' | sort -u; printf 'a\na\nb\n' | uniq -d; printf 'a\na\nb\n' | uniq -u; printf 'a\nA\nb\n' | uniq -i
printf 'a b\na  c\n' | sort -k2 -b
echo one:two:three | cut -d: -f1,3; echo abcdef | cut -c2-4; echo abcdef | cut -b 1,3,5-
echo hello | tr a-y b-z; echo hello | tr -d l; echo aabbcc | tr -s ab; echo Hello | tr '[:upper:]' '[:lower:]'; echo a1b2 | tr -cd '0-9\n'

echo "== sed"
printf 'one\ntwo\nthree\nfour\n' > s
sed 2d s; sed -n '2,3p' s; sed '/two/,/three/d' s; sed '$!d' s; sed -n '$=' s
sed 's/o/0/2;s/[a-z]*/<&>/' s; sed 's/\(.\)\(.\)/\2\1/g' s | head -n 2
sed -e '1i\
first' -e '$a\
last' s
sed '2c\
changed' s; sed 'y/abc/xyz/' s | head -n 1; sed 2q s; sed -E 's/(t)(w|h)/\2\1/' s
sed -n '/t/{s/t/T/p;}' s; sed 'N;s/\n/+/' s; sed '1!G;h;$!d' s
sed -i 's/four/FOUR/' s; tail -n 1 s; sed 's,t,/,g' s | tail -n 2
echo 'a.b' | sed 's/\./\n/'; echo hello | sed 's/l*$/X/;s/^/> /'
printf 'x\ny\n' | sed = | sed 'N;s/\n/ /'; echo abc | sed 's/b/[&\&]/'; sed -n '/one/w out' s; cat out
echo foo | sed ':a;s/^\(.\{1,5\}\)$/ \1/;ta'

echo "== awk"
printf 'ann 3 4\nbob 5 6\ncy 7 8\n' > w
awk '{ print $1, $2 * $3 }' w; awk 'END { print NR, NF }' w; awk -F: '{ print $2 }' j2 | head -n 1
awk 'NR > 1 && $2 < 7 { print "mid", $0 }' w; awk 'BEGIN { for (i = 0; i < 3; i++) printf "%d,", i; print "" }'
awk '{ s[$1] = $2; t += $3 } END { print s["bob"], t; print ("zed" in s) }' w
awk '/^b/, /^c/ { print FILENAME, FNR }' w; awk '{ $2 = "x"; print }' w; awk -v v=7 'BEGIN { print v + 1, length("four"), substr("hello", 2, 3), index("abc", "c") }'
awk 'BEGIN { n = split("a:b:c", p, ":"); print n, p[3]; print toupper("abc") tolower("DEF"); printf "%5.2f|%-5s|%05d|%c|%x\n", 3.14159, "ab", 42, 65, 255 }'
awk 'BEGIN { s = "hello"; gsub(/l/, "L", s); print s; print match("foobar", /o+/), RSTART, RLENGTH; print sprintf("%s-%s", "a", "b") }'
awk 'function f(n) { return n < 2 ? 1 : n * f(n - 1) } BEGIN { print f(10) }'
awk 'BEGIN { while (("echo x; echo y" | getline line) > 0) print "got " line; "date +%Y" | getline y; print (y > 2000) }'
printf '1,2\n3,4\n' | awk 'BEGIN { FS = ","; OFS = ";" } { $1 = $1; print } '
awk 'BEGIN { print 1 / 3; print 10 % 3, -3 % 2; print 1e6, 0.1 + 0.2; print "10" < "9", 10 < 9; x["a"]; delete x["a"]; print length(x) }'
awk 'BEGIN { printf "%s %s\n", "a" "b", 1 " " 2; print int(-3.7) }'
awk '{ print > ("w." NR) } END { close("w.1") }' w; cat w.1 w.3
awk 'BEGIN { do { i++; if (i == 2) continue; if (i > 3) break; print i } while (1); exit 3 }'; echo "status $?"
printf 'a b\n\nc d\ne f\n' | awk 'BEGIN { RS = "" } { print NR ": " $1 "-" $NF }'

