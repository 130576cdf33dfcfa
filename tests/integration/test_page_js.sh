#!/bin/sh
# SPDX-License-Identifier: MIT
# The page's modules that need no browser, under Node.
set -eu
command -v node >/dev/null 2>&1 || { echo "SKIPPED: there is no node (Debian: apt-get install nodejs)"; exit 77; }
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || { echo "SKIPPED: node $major is too old for node --test, which came with 18"; exit 77; }
# The modules are embedded as they are and have no package.json: as ES modules they are given here.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/libpsprobe/report" "$work/tests"
cp -r libpsprobe/report/page "$work/libpsprobe/report/"
mkdir "$work/tests/browser"
cp tests/browser/*.test.mjs "$work/tests/browser/"
echo '{"type": "module"}' >"$work/package.json"
TZ=UTC node --test "$work/tests/browser"
