#!/bin/bash
# SPDX-License-Identifier: MIT
# Ctrl-C twice ends a prober at once, also while Firestore hangs; what it measured is in its file.
set -eu
bin=${BUILD:-build}/examples
work=$(mktemp -d)
eval "$("$bin/local" --pubsub-port 0 --firestore-port 0 &)"
trap 'kill -CONT "$PSPROBE_LOCAL_PID"; kill "$PSPROBE_LOCAL_PID"; rm -rf "$work"' EXIT

"$bin/prober" --project demo-project --create --interval 20ms --timeout 100ms --source one \
  --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$work/p.db" >"$work/out" 2>"$work/err" &
prober=$!
rows() { "$bin/report" --csv "$work/p.db" 2>/dev/null | tail -n +2 | wc -l; }
for _ in $(seq 200); do [ "$(rows)" -gt 3 ] && break; sleep 0.05; done
[ "$(rows)" -gt 3 ] || { echo "nothing was measured"; cat "$work/err"; exit 1; }

kill -STOP "$PSPROBE_LOCAL_PID" # broker and documents hang from here on
kill -INT $prober
for _ in $(seq 100); do grep -q 'waiting for answers in flight' "$work/err" && break; sleep 0.05; done
kill -INT $prober
start=$(date +%s%N)
status=0
wait $prober || status=$?
took=$((($(date +%s%N) - start) / 1000000))
[ "$status" = 0 ] || { echo "it ended with $status, not 0"; cat "$work/err"; exit 1; }
# The upload alone would be waited for ten seconds.
[ "$took" -lt 5000 ] || { echo "it took $took ms to end"; exit 1; }
grep -q '^one ' "$work/out" || { echo "no table was printed"; cat "$work/out"; exit 1; }
