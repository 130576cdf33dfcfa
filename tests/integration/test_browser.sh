#!/bin/bash
# SPDX-License-Identifier: MIT
# The report from a file and the live page during a run, in Debian's Chromium. Screenshots are left
# in build/shots.
set -eu
command -v "${PSPROBE_CHROMIUM:-chromium}" >/dev/null || { echo "SKIPPED: there is no chromium (Debian: apt-get install chromium)"; exit 77; }
tests/interop/install.sh tests/browser
bin=${BUILD:-build}/examples
export PSPROBE_SHOTS=${BUILD:-build}/shots
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

"${BUILD:-build}"/tests/tools/make_first_graph >"$work/first.csv"
"$bin/report" --html "$work/first.html" "$work/first.csv" >/dev/null
node tests/browser/report.mjs "$work/first.html"

tests/tools/odd_csv.sh "$work/odd"
for file in "$work"/odd/*.csv; do "$bin/report" --html "${file%.csv}.html" "$file" >/dev/null; done
node tests/browser/odd.mjs "$work"/odd/*.html

eval "$("$bin/local" --pubsub-port 0 --firestore-port 0 &)"
trap 'kill $PSPROBE_LOCAL_PID $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
port=$((20000 + RANDOM % 10000))
answers=$((port + 1))
for source in cloud_function regular_service; do
  "$bin/subscriber" --project demo-project --create --source $source --subscription "probes-$source" \
    --prober "http://127.0.0.1:$answers" --log-level error >/dev/null &
done
node tests/browser/live.mjs $port -- "$bin/prober" --project demo-project --create --interval 50ms --timeout 1s \
  --listen "127.0.0.1:$answers" --admin-listen "127.0.0.1:$port" --no-firestore --db "$work/live.db"
