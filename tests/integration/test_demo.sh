#!/bin/bash
# SPDX-License-Identifier: MIT
# The demo: ends well with every probe answered and stored, leaves nothing running, also after
# Ctrl-C in the middle.
set -eu
bin=${BUILD:-build}/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
# Programs of this build that still run, by their executable.
running() {
  for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe" 2>/dev/null) in "$PWD/$bin"/*) echo "$exe $(readlink "$exe")" ;; esac
  done
}

# What is set for programs of one's own is not for the demo's.
PSPROBE_TOPIC=other PSPROBE_SUBSCRIPTION=other PSPROBE_SOURCE=other PSPROBE_DIRECT=1 PORT=1 \
  timeout 60 "$bin/demo" --count 20 --interval 50ms --db "$work/demo.db" >"$work/out" 2>"$work/err" ||
  { echo "the demo failed: $?"; cat "$work/out" "$work/err"; exit 1; }
grep -q cloud_function "$work/out" && grep -q regular_service "$work/out" && grep -q unary_service "$work/out"
grep -q no_grpc_here "$work/err" && { echo "the stand-in was pulled from where it should have been streamed from"; bad=1; }
# What it says to run next can be typed as it stands.
next=$(sed -n 's/^Next: *\(.*\), and README.*/\1/p' "$work/out")
$next >"$work/next" && grep -q cloud_function "$work/next" || { echo "'$next' does not work"; bad=1; }
rows=$("$bin/report" --csv "$work/demo.db" | grep -c ,steady,)
[ "$rows" = 20 ] || { echo "$rows rows, not 20"; bad=1; }
[ -z "$(running)" ] || { echo "still running after the demo: $(running)"; bad=1; }

# The function of the rare topic scales to zero between its probes: each of them is a cold start, which
# the table shows in a row of its own and the host has counted.
begun=$(date +%s)
timeout 60 "$bin/demo" --count 200 --interval 50ms --cold-every 1500ms --db "$work/cold.db" \
  --html "$work/cold.html" >"$work/out" 2>"$work/err" || { echo "the demo failed: $?"; cat "$work/out" "$work/err"; bad=1; }
[ $(($(date +%s) - begun)) -le 25 ] || { echo "the demo took more than 25 s"; bad=1; }
sed -n '/^Rare probes/,/^$/p' "$work/out" | grep -q '^cloud_function  *[67]  *100 %' ||
  { echo "no row of cold probes"; cat "$work/out"; bad=1; }
counts=$(sed -n 's/.*its host counts \([0-9]*\) cold starts for \([0-9]*\) of them.*/\1 \2/p' "$work/out")
case $counts in "6 6" | "7 7") ;; *) echo "the host counts '$counts'"; bad=1 ;; esac
rows=$("$bin/report" --csv "$work/cold.db" | grep -c ,steady,)
[ "$rows" = 200 ] || { echo "$rows rows, not 200"; bad=1; }
grep -q 'Rare probes' "$work/cold.html" || { echo "the page has no table of the rare probes"; bad=1; }

"$bin/demo" --count 100000 --interval 20ms --db "$work/cut.db" >"$work/out" 2>"$work/err" &
demo=$!
for _ in $(seq 200); do [ "$("$bin/report" --csv "$work/cut.db" 2>/dev/null | wc -l)" -gt 5 ] && break; sleep 0.05; done
kill -INT $demo
status=0
wait $demo || status=$?
[ "$status" = 1 ] || { echo "cut short, the demo ended with $status, not 1"; cat "$work/err"; bad=1; }
grep -q cloud_function "$work/out" || { echo "cut short, the demo printed no table"; bad=1; }
[ -z "$(running)" ] || { echo "still running after Ctrl-C: $(running)"; bad=1; }

# Killed outright, it takes its children with it.
"$bin/demo" --count 100000 --interval 20ms --db "$work/killed.db" >"$work/out" 2>"$work/err" &
demo=$!
for _ in $(seq 200); do [ "$("$bin/report" --csv "$work/killed.db" 2>/dev/null | wc -l)" -gt 5 ] && break; sleep 0.05; done
kill -KILL $demo
wait $demo 2>/dev/null || true
for _ in $(seq 100); do [ -z "$(running)" ] && break; sleep 0.05; done
[ -z "$(running)" ] || { echo "still running after SIGKILL: $(running)"; bad=1; }
exit $bad
