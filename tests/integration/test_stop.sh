#!/bin/bash
# SPDX-License-Identifier: MIT
# How a prober ends while broker and Firestore hang: Ctrl-C twice ends it at once; one SIGTERM waits
# --grace for what is in flight, and for Firestore no longer than most of what stops programs waits.
# Each time there is the table, and what was measured is in its file.
set -eu
bin=${BUILD:-build}/examples
work=$(mktemp -d)
eval "$("$bin/local" --pubsub-port 0 --firestore-port 0 &)"
trap 'kill -CONT "$PSPROBE_LOCAL_PID"; kill ${prober:-} ${subscriber:-} 2>/dev/null || true; kill "$PSPROBE_LOCAL_PID"; rm -rf "$work"' EXIT

rows() { "$bin/report" --csv "$work/$1.db" 2>/dev/null | tail -n +2 | wc -l; }
stopping() { grep -q 'waiting for answers in flight' "$work/$1.err"; }
until_true() { for _ in $(seq 200); do "$@" && return 0; sleep 0.05; done; return 1; }
measured() { [ "$(rows "$1")" -gt 3 ]; }
in_flight() { curl -sf "$(sed -n 's/.*live page at //p' "$work/$1.out")metrics" | grep -q '_sent_total [1-9]'; }
# start NAME OPTION...: a prober that nobody answers; `prober` is its process
start() {
  "$bin/prober" --project demo-project --create --interval 20ms --source one \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$work/$1.db" "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
  prober=$!
}
# ends NAME FROM TO: the prober, between FROM and TO ms after `began`, with 0 and its table
ends() {
  local status=0 took
  wait $prober || status=$?
  took=$((($(date +%s%N) - began) / 1000000))
  [ "$status" = 0 ] || { echo "$1 ended with $status, not 0"; cat "$work/$1.err"; exit 1; }
  [ "$took" -ge "$2" ] && [ "$took" -lt "$3" ] || { echo "$1 took $took ms to end, not $2 to $3"; exit 1; }
  grep -q '^one ' "$work/$1.out" || { echo "$1: no table was printed"; cat "$work/$1.out"; exit 1; }
}

start twice --timeout 100ms
until_true measured twice || { echo "nothing was measured"; cat "$work/twice.err"; exit 1; }
kill -STOP "$PSPROBE_LOCAL_PID" # broker and documents hang from here on
kill -INT $prober
until_true stopping twice
kill -INT $prober
began=$(date +%s%N)
ends twice 0 5000 # the upload alone would be waited for ten seconds
kill -CONT "$PSPROBE_LOCAL_PID"

# ---- what is in flight is waited for --grace, not for --timeout ----
start short --timeout 60s --grace 300ms --no-firestore
until_true in_flight short || { echo "nothing was sent"; cat "$work/short.err"; exit 1; }
began=$(date +%s%N)
kill -TERM $prober
ends short 300 5000

# ---- with all as it is by default, a SIGTERM leaves ten seconds, whoever hangs ----
start hung --timeout 100ms --grace 8s
until_true measured hung || { echo "nothing was measured"; cat "$work/hung.err"; exit 1; }
kill -STOP "$PSPROBE_LOCAL_PID"
began=$(date +%s%N)
kill -TERM $prober
ends hung 0 11500
grep -q 'not all results are in Firestore yet' "$work/hung.err" || { echo "nothing is said of Firestore"; cat "$work/hung.err"; exit 1; }

# ---- nor does a subscriber whose acknowledgements nobody takes need longer ----
kill -CONT "$PSPROBE_LOCAL_PID"
start pulled --timeout 60s --grace 100ms --no-firestore
prober_url=$(until_true grep -q 'listening on' "$work/pulled.out" && sed -n 's/.*listening on //p' "$work/pulled.out")
"$bin/subscriber" --project demo-project --create --subscription pulled --source one --prober "$prober_url" \
  >"$work/sub.out" 2>"$work/sub.err" &
subscriber=$!
answered() { curl -sf "$(sed -n 's/.*live page at //p' "$work/pulled.out")metrics" | grep -q 'answers_total{.*status="answered"} [1-9][0-9]'; }
until_true answered || { echo "nothing was answered"; cat "$work/sub.err"; exit 1; }
kill -STOP "$PSPROBE_LOCAL_PID"
began=$(date +%s%N)
kill -TERM $subscriber
status=0
wait $subscriber || status=$?
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 11000 ] || { echo "the subscriber took $took ms to end"; cat "$work/sub.err"; exit 1; }
[ "$status" -le 1 ] || { echo "the subscriber ended with $status"; cat "$work/sub.err"; exit 1; }
kill -TERM $prober
wait $prober || true
