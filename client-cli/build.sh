#!/bin/sh
# Installs what is missing and builds a preset of CMakePresets.json:
#   sh client-cli/build.sh PRESET [TARGET...]        into build/PRESET
# CAIRN_BUILD names another folder, CAIRN_CMAKE more arguments for cmake (words without blanks).
# Says little; all that the tools say is in build.log in that folder.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
preset=${1:?"which preset? For example: sh client-cli/build.sh release"}
shift
build=${CAIRN_BUILD:-$root/build/$preset}

sh "$root/client-cli/install-packages.sh"

# A folder that was configured for a checkout at another place would build that one.
if [ -f "$build/CMakeCache.txt" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    rm -rf "$build"
fi
# One that was configured in another way would keep what is not said again: the compiler, its flags.
given="$preset ${CAIRN_CMAKE-}"
if [ -f "$build/CMakeCache.txt" ] && [ "$(cat "$build/given" 2>/dev/null || echo "$preset ")" != "$given" ]; then
    rm -rf "$build"
fi
if ! mkdir -p "$build" 2>/dev/null || ! : >"$build/build.log"; then
    echo "$build cannot be written by $(id -un): use sudo again, or remove that folder." >&2
    exit 1
fi
echo "$given" >"$build/given"

run()
{
    "$@" >>"$build/build.log" 2>&1 && return
    tail -n 40 "$build/build.log" >&2
    echo "Building failed; all of it is in $build/build.log" >&2
    exit 1
}

echo "Building into $build"
cd "$root"
# shellcheck disable=SC2086 # a list of words
run cmake --preset "$preset" -B "$build" ${CAIRN_CMAKE-}
if [ $# -gt 0 ]; then
    run cmake --build "$build" --parallel "$(nproc)" --target "$@"
else
    run cmake --build "$build" --parallel "$(nproc)"
fi
