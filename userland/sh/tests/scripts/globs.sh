mkdir g.$$ && cd g.$$ || exit
mkdir d1 d2 .hid; : > a.c; : > b.c; : > 'sp ace'; : > d1/x.c; : > d2/y.c; : > .dot
echo *; echo *.c; echo */*.c; echo .*[!.]*; echo [ab].c; echo ?.c; echo "*.c" \*.c; echo nomatch*; echo d*/
for f in *; do echo "[$f]"; done
p='*.c'; echo $p "$p"
set -f; echo *.c; set +f
case file.tar.gz in *.tar.*) echo tar;; esac
echo ${p##*.}
cd ..; rm -r g.$$
