#!/bin/sh
# SPDX-License-Identifier: MIT
# The library's surface: headers and exported symbols name the same functions, both ways; every
# header compiles alone, as C and as C++.
set -eu
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$build/libpsprobe.so" | awk '{print $3}' | sort >"$work/exported"
# A declaration begins with PSPROBE_API; its name is the last word before the first parenthesis.
cat include/psprobe/*.h | tr '\n' ' ' | grep -o 'PSPROBE_API [^;(]*(' | grep -v 'PSPROBE_PRINTF(\|__attribute__(' |
  sed 's/.*[ *]\(psprobe_[a-z0-9_]*\)($/\1/' | sort >"$work/declared"
diff "$work/declared" "$work/exported" >"$work/diff" || {
  echo "declared in a header (<) or exported (>) alone:"
  grep '^[<>]' "$work/diff"
  exit 1
}
[ "$(wc -l <"$work/declared")" -gt 50 ]
uniq -d "$work/declared" | grep . && { echo "declared more than once"; exit 1; }
# What a header declares it also exports: no function without PSPROBE_API, but for macros and the types
# of callbacks; and what is inside does not declare what is public.
bare=$(cat include/psprobe/*.h | sed 's|/\*\*.*||; s|^ \*.*||' | tr '\n' ' ' | tr ';}' '\n\n' |
  grep -E '^ *[a-z][a-z0-9_ *]*[ *]psprobe_[a-z0-9_]+\(' | grep -v '^ *typedef' || true)
[ -z "$bare" ] || { echo "declared without PSPROBE_API: $bare"; exit 1; }
inside=$(grep -rln '^PSPROBE_API' libpsprobe) && { echo "PSPROBE_API belongs in the public headers: $inside"; exit 1; }
for header in include/psprobe/*.h; do
  name=psprobe/$(basename "$header")
  printf '#include <%s>\ntypedef int not_empty;\n' "$name" | ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -x c -fsyntax-only -
  if command -v c++ >/dev/null 2>&1; then
    printf '#include <%s>\ntypedef int not_empty;\n' "$name" | c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iinclude -x c++ -fsyntax-only -
  fi
done
# Private symbols of the static library are ours too: nothing without a prefix can collide.
foreign=$(nm --defined-only -g "$build/libpsprobe.a" 2>/dev/null | awk 'NF==3 && $3 !~ /^(psprobe_|psp_)/ {print $3}')
[ -z "$foreign" ] || { echo "global symbols without our prefix: $foreign"; exit 1; }
