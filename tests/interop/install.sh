#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Node packages of a folder (this one; $1 names another) as its package-lock.json
# has it; nothing when that is there already. Exit status 77, with the reason, when it cannot.
set -eu
cd "${1:-$(dirname "$0")}"
command -v node >/dev/null 2>&1 || { echo "SKIPPED: there is no node (Debian: apt-get install nodejs npm)"; exit 77; }
command -v npm >/dev/null 2>&1 || { echo "SKIPPED: there is no npm (Debian: apt-get install npm)"; exit 77; }
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || { echo "SKIPPED: node $major is too old for the client, which wants 18"; exit 77; }
done=node_modules/.installed
cmp -s package-lock.json "$done" && exit 0
if ! npm ci --ignore-scripts --no-audit --no-fund >node_modules.log 2>&1; then
  tail -n 5 node_modules.log
  echo "SKIPPED: npm ci failed in $PWD (above)"
  exit 77
fi
rm -f node_modules.log
cp package-lock.json "$done"
