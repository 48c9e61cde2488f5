# Runs with Debian's static busybox in a guest, and with the tools of the host:
# the output must be the same, byte for byte. The working directory is empty.
LC_ALL=C
export LC_ALL

echo "== here-documents and arithmetic"
cat <<EOF
line $((6 * 7))
	tab, 'quote', "double", \$escaped
EOF
cat <<'EOF'
$not $expanded
EOF

echo "== pipelines"
printf 'b\na\nc\na\n' | sort | uniq -c | awk '{ print $1 ":" $2 }'
seq 1 1000 | tail -n 3 | head -n 2 | tr 0-9 a-j
seq 1 10000 | awk '{ s += $1 } END { print s }'
(exit 3) | true; echo "status $?"
yes | head -n 2

echo "== background jobs and wait"
sleep 0.2 & first=$!
(exit 7) & second=$!
wait $second; echo "second $?"
wait $first; echo "first $?"

echo "== traps"
sh -c 'trap "echo caught; exit 5" TERM; kill -TERM $$; sleep 5'; echo "status $?"
sh -c 'trap "echo bye" EXIT; exit 4'; echo "status $?"
sh -c 'kill -KILL $$'; echo "status $?"

echo "== files"
mkdir -p d/e; echo one > d/a; echo two > d/e/b; ln -s a d/link; ln d/a d/hard
find d | sort
cat d/link; rm d/a; cat d/hard; cat d/link 2>/dev/null || echo "dangling"
chmod 640 d/hard; ls -l d/hard | cut -c 1-10
mv d/e/b d/moved; [ -e d/e/b ] || echo moved
test -d d/e && test ! -L d/e && echo directory

echo "== archives"
tar cf t.tar d/hard d/moved; tar tf t.tar
gzip -c d/moved | gunzip -c
tar cf - d/moved | gzip | gunzip | tar xOf -
sha256sum d/moved d/hard
sha256sum < d/hard

echo "== text"
printf 'one two\nthree four\n' | sed -e 's/o/0/g' -e '/three/a\
added'
printf 'x=1\ny=2\n' | while IFS== read -r name value; do echo "$name is $value"; done
echo "a,b,c" | cut -d , -f 2
printf '%s\n' alpha beta gamma | grep -n '^b'
printf '%05d|%-6s|%x\n' 42 left 255
expr 7 '*' 6
dd if=/dev/zero bs=1000 count=3 2>/dev/null | od -A d -t x1 | head -n 2

echo "== a file of 20 MB"
seq 1 700000 | awk '{ printf "%07d some text to pad the line %d\n", ($1 * 7919) % 1000003, $1 }' > big
wc -c < big | tr -d ' '
sort big > sorted
sha256sum < sorted
head -n 1 sorted; tail -n 1 sorted
sort -r big | sha256sum
rm big sorted
