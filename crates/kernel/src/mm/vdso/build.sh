#!/bin/sh
# Makes the vDSO's image from its source: build.sh OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"${CROSS_COMPILE:-aarch64-linux-gnu-}gcc" -nostdlib -shared -Wl,-soname=linux-vdso.so.1 -Wl,--hash-style=both \
    -Wl,--build-id=none -Wl,-Bsymbolic -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,-T,"$here/vdso.lds" \
    -Wl,--strip-all -o "$1" "$here/vdso.S"
