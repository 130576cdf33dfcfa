#!/bin/sh
# SPDX-License-Identifier: MIT
# The floors of docs/architecture.md: a folder includes itself and floors below it, and each third
# party's header is included in its own folders only.
set -u
cd "$(dirname "$0")/.." || exit 2
floors="base os sql http stats auth client pubsub firestore local doctor prober responder results report cli"
bad=0
below=" "
for floor in $floors; do
  below="$below$floor "
  for seen in $(grep -rhs '^#include "' libpsprobe/"$floor" | sed -n 's|^#include "\([a-z]*\)/.*|\1|p' | sort -u); do
    case "$below" in
      *" $seen "*) ;;
      *) echo "libpsprobe/$floor includes $seen/, a floor above it:"; bad=1
         grep -rn "^#include \"$seen/" libpsprobe/"$floor" ;;
    esac
  done
done
only() { # header-pattern, allowed folders
  found=$(grep -rlE "^#include <($1)" libpsprobe 2>/dev/null | grep -vE "^libpsprobe/($2)/")
  [ -z "$found" ] || { echo "<$1> belongs in libpsprobe/$2 alone, and is in:"; echo "$found"; bad=1; }
}
only 'curl/' 'http'
only 'microhttpd' 'http'
only 'cjson/' 'base'
only 'jwt' 'auth'
only 'openssl/' 'auth|http|os'
only 'sqlite3' 'sql|results|local'
only 'uthash|utlist' 'local'
found=$(grep -lE '^#include <(curl|microhttpd|cjson|jwt|openssl|sqlite3|uthash)' include/psprobe/*.h)
[ -z "$found" ] || { echo "a public header shows a third party: $found"; bad=1; }
found=$(grep -lE '^#include "' examples/*.c 2>/dev/null)
[ -z "$found" ] || { echo "examples use public headers only, not: $found"; bad=1; }
[ "$bad" = 0 ] && echo "layers: ok"
exit "$bad"
