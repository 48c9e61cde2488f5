# Loops that fork a lot, long pipelines, big here-documents.
i=0; while [ $i -lt 200 ]; do i=$((i+1)); v=$(echo $i); done; echo $v
seq 1 1000 | sort -rn | head -3 | tail -1 | cat | cat | cat
n=0; for x in $(seq 1 500); do n=$((n+x)); done; echo $n
big=$(seq 1 20000); echo ${#big}
cat <<END | wc -c | tr -d ' '
$big
END
deep() { [ $1 -eq 0 ] && { echo bottom; return; }; deep $(($1-1)); }; deep 100
yes | head -2
while :; do echo x; done | head -1
