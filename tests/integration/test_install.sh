#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make install` puts down is all that an outside program needs: the C program of the README is
# built with pkg-config alone, shared and static, and run. `make uninstall` leaves nothing.
set -eu
top=$(pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# A folder's name may hold a blank.
dest="$root/two words"
ln -s "two words" "$root/dest" # for pkg-config, whose output is split into words
${MAKE:-make} -s install DESTDIR="$dest" PREFIX=/opt/psprobe BUILD="${BUILD:-build}" >"$root/log" 2>&1 ||
  { cat "$root/log"; exit 1; }

# A sysroot would also move the third parties' own paths, so a copy of the .pc gets the real prefix.
mkdir "$root/pc"
sed "s|/opt/psprobe|$root/dest/opt/psprobe|" "$dest/opt/psprobe/lib/pkgconfig/psprobe.pc" >"$root/pc/psprobe.pc"
export PKG_CONFIG_PATH="$root/pc"
[ "$(pkg-config --modversion psprobe)" = "$(sed -n 's/.*PSPROBE_VERSION  *"\(.*\)"/\1/p' include/psprobe/version.h)" ]
case " $(pkg-config --libs psprobe) " in
  *curl* | *microhttpd* | *sqlite*) echo "third parties leak into --libs"; exit 1 ;;
esac

awk '/^```c$/ {on=1; next} /^```$/ {if (on) exit} on' README.md >"$root/outside.c"
grep -q '#include <psprobe/probe.h>' "$root/outside.c" || { echo "README.md has no C program"; exit 1; }
awk '/^```c$/ {on++; next} /^```$/ {if (on == 2) exit} on == 2' README.md >"$root/function.c"
grep -q '#include <psprobe/function.h>' "$root/function.c" || { echo "README.md has no function"; exit 1; }
cd "$root"
# shellcheck disable=SC2046 # flags are words
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror outside.c $(pkg-config --cflags --libs psprobe) -o shared
# shellcheck disable=SC2046
# shellcheck disable=SC2046 # names are words
${CC:-cc} -std=c11 outside.c $(pkg-config --cflags psprobe) -Wl,-Bstatic -L"$dest/opt/psprobe/lib" -lpsprobe -Wl,-Bdynamic \
  $(pkg-config --libs $(sed -n 's/^Requires.private: //p' "$dest/opt/psprobe/lib/pkgconfig/psprobe.pc")) -lm -pthread -o static
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror function.c $(pkg-config --cflags --libs psprobe) -o function
status=0
PORT=none LD_LIBRARY_PATH="$dest/opt/psprobe/lib" timeout 60 ./function 2>err || status=$?
[ $status = 1 ] && grep -q 'PORT "none"' err || { echo "function: exit status $status"; cat err; exit 1; }
readelf -d shared | grep -q 'NEEDED.*libpsprobe\.so\.' || { echo "the soname is not asked for"; exit 1; }
for program in shared static; do
  # With nothing listening there it must fail with a message, not crash: status 1.
  status=0
  PUBSUB_EMULATOR_HOST=127.0.0.1:1 LD_LIBRARY_PATH="$dest/opt/psprobe/lib" timeout 60 ./$program >out 2>err || status=$?
  [ $status = 1 ] && grep -q 127.0.0.1:1 err || { echo "$program: exit status $status"; cat out err; exit 1; }
done

# Programs and man pages.
for name in prober subscriber responder local report demo doctor function; do
  [ -x "$dest/opt/psprobe/bin/psprobe-$name" ] || { echo "psprobe-$name is missing"; exit 1; }
  grep -q '^\.TH' "$dest/opt/psprobe/share/man/man1/psprobe-$name.1" || { echo "no man page of $name"; exit 1; }
done
cd "$top"
${MAKE:-make} -s uninstall DESTDIR="$dest" PREFIX=/opt/psprobe BUILD="${BUILD:-build}" >/dev/null
left=$(find "$dest" ! -type d)
[ -z "$left" ] || { echo "uninstall leaves: $left"; exit 1; }
