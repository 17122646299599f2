#!/bin/sh
# What `cmake --install` puts anywhere works there: the programs in both languages, their data and
# manual, and the library for a program that only knows pkg-config.
. "$(dirname -- "$0")/lib.sh"

cmake --install "$CAIRN_BUILD" --prefix "$work/usr" >install.log 2>&1 || fail "$(cat install.log)"
for file in bin/cairn bin/cairn-server include/cairn/replica.h share/cairn/regions.csv \
    share/man/man1/cairn.1 share/man/man1/cairn-put.1 share/man/zh_CN/man1/cairn-put.1 \
    share/man/zh_CN/man1/cairn.1 share/man/zh_CN/man8/cairn-server.8 share/man/man8/cairn-server.8 share/locale/zh_CN/LC_MESSAGES/cairn.mo \
    share/bash-completion/completions/cairn share/doc/cairn/LICENSE; do
    [ -s "usr/$file" ] || fail "$file was not installed"
done

CAIRN_BIN=$work/usr/bin
try 0 root init --no-passphrase --root 51 --tag R "Installed"
try 0 root status
says "R  root authority, 51 四川省 *"
LANG=zh_CN.UTF-8
export LANG
try 0 root status
says "R  根机构，51 四川省 *"
LANG=zh_CN.UTF-8 usr/bin/cairn-server --help >out || fail "cairn-server --help ends with $?"
grep -q '^用法' out || fail "the server speaks no Chinese"

# The compiler and flags of this build, so that a sanitized library is linked as it must be.
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name cairn.pc)")
export PKG_CONFIG_PATH
# What pkg-config says is for a shell: a blank in a name stands behind a backslash.
eval "${CC:-cc} ${CFLAGS-} \"\$CAIRN_SOURCE/core/examples/hello.c\" $(pkg-config --cflags --libs cairn) -o hello" ||
    fail "hello.c does not build with pkg-config"
mkdir hello-store
./hello hello-store >out || fail "hello.c ends with $?"
grep -q "income = 4150" out || fail "hello.c says: $(cat out)"
