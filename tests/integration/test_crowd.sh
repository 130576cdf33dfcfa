#!/bin/bash
# SPDX-License-Identifier: MIT
# What strangers cannot do: a crowd of idle, half asked and dripping connections at every port, from one
# address, loses no answer from another; a broker that hangs takes neither the answer port nor a result.
# environment: CROWD=full: 2,000 idle, 1,000 half asked and 200 dripping at each port, the answers' p99
# compared with that of the same run without them, and a broker that hangs for 60 s; else a tenth, of
# programs that may have 1,024 files open.
set -u
. "${0%/*}/programs.sh"
# shellcheck disable=SC2154 # programs.sh sets them
tools=${bin%/examples}/tests/tools
full=$([ "${CROWD:-}" = full ] && echo 1 || echo '')
crowd=(${full:+2000 1000 200}) probes=${full:+2000} hang=${full:+60} patience=30s
[ -n "$full" ] || { crowd=(200 100 20) probes=500 hang=5 patience=12s; ulimit -n 1024; }

json() { curl -s --max-time 10 -H 'Content-Type: application/json' "$@"; }
figure() { "$bin/report" --json "$work/$1.db" | jq "$2"; }
admin() { sed -n 's/.*live page at \(.*\)\//\1/p' "$work/$1.out"; }

# probe NAME COUNT OPTION...: a prober, in $prober, and two responders that answer it
probe() {
  local name=$1 count=$2
  start "$name" prober --topic "$name" --create --interval 10ms --count "$count" --listen 127.0.0.1:0 \
    --admin-listen 127.0.0.1:0 --db "$work/$name.db" --no-firestore "${@:3}"
  prober=$pid
  ready "$name" 'listening on '
  answers=$line
  start "$name-push" responder --port 0 --listen 127.0.0.1 --prober "$answers"
  push=$pid
  ready "$name-push" 'listening on '
  endpoint=${line%% *}
  json -X PUT "$(pubsub "subscriptions/$name-push")" >/dev/null \
    -d "{\"topic\":\"projects/demo-project/topics/$name\",\"pushConfig\":{\"pushEndpoint\":\"$endpoint\"}}"
  start "$name-pull" subscriber --create --topic "$name" --subscription "$name-pull" --prober "$answers" \
    --source regular_service
  pull=$pid
}
both_answer() { [ "$(curl -s "$(admin "$1")/metrics" | grep -c '^psprobe_answers_total.*"answered"} [1-9]')" = 2 ]; }
# p99 NAME: of both sources, in ns; all COUNT probes but the first 200, which came before all was there, were answered
p99() {
  local name=$1 settled
  ended "$prober" 120
  [ "$status" = 0 ] || wrong "$name ended with $status" "$work/$name.err"
  kill "$push" "$pull"
  settled=$("$bin/report" --csv "$work/$name.db" | cut -d , -f 2 | sort | sed -n 201p)
  "$bin/report" --json --since "$settled" "$work/$name.db" >"$work/$name.json"
  lost=$(jq '[.sources[].lost] | add' "$work/$name.json")
  [ "$lost" = 0 ] || wrong "$name: $lost answers were lost" "$work/$name.json" "$work/$name.err"
  both=$(jq -c '[.sources[].p99_ns]' "$work/$name.json")
}

stand_in
crowds=()
# ---- the same run without a crowd, before and after it ----
for name in before crowded after; do
  [ -n "$full" ] || [ "$name" = crowded ] || continue
  probe "$name" "$probes"
  until_true 15 both_answer "$name" || { wrong "$name: nobody answers" "$work/$name"*.err; exit 1; }
  if [ "$name" = crowded ]; then
    for door in "$answers" "$(admin crowded)" "$endpoint" "$PUBSUB_EMULATOR_HOST"; do
      at=crowd-${door##*:}
      "$tools/crowd" 127.0.0.2 "${crowd[@]}" "${door#http://}" >"$work/$at.out" 2>"$work/$at.err" &
      started+=("$!")
      crowds+=("$!")
      ready "$at" 'crowd: '
      echo "crowd at ${door##*:}: $line"
    done
  fi
  p99 "$name"
  echo "$name: $probes probes, none lost, p99 (function, service) $both ns," \
    "turned away $(jq .untaken "$work/$name.json")"
  declare "${name}_p99=$both"
  [ "$name" != crowded ] || kill "${crowds[@]}"
done
if [ -n "$full" ]; then
  # shellcheck disable=SC2154 # declared above
  jq -n --argjson a "$before_p99" --argjson b "$crowded_p99" --argjson c "$after_p99" \
    '[range(2) | . as $k | $b[$k] <= 1.2 * ([$a[$k], $c[$k]] | max)] | all' | grep -q true ||
    wrong "the crowd costs more than a fifth of the p99 without it"
fi

# ---- a broker that hangs ----
(
  ulimit -n 1024
  exec "$bin/prober" --topic hang --create --interval 10ms --count $((100 * (hang + 10))) --listen 127.0.0.1:0 \
    --admin-listen 127.0.0.1:0 --db "$work/hang.db" --no-firestore --timeout "$patience"
) >"$work/hang.out" 2>"$work/hang.err" &
prober=$!
started+=("$prober")
ready hang 'listening on '
answers=$line
start hang-pull subscriber --create --topic hang --subscription hang-pull --prober "$answers" --source regular_service
start hang-pull2 subscriber --create --topic hang --subscription hang-pull2 --prober "$answers" --source cloud_function
until_true 15 both_answer hang || { wrong "hang: nobody answers" "$work/hang"*; exit 1; }
kill -STOP "$local_pid"
for ((i = 0; i < hang; i++)); do
  sleep 1
  code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 1 -X POST "$answers/regular_service/00000000000000000000000000000000") || true
  [ "$code" = 404 ] || wrong "second $i of a broker that hangs: the answer port says $code"
  code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 1 "$(admin hang)/health/live") || true
  [ "$code" = 200 ] || wrong "second $i of a broker that hangs: health says $code"
done
files=$(find "/proc/$prober/fd" | wc -l)
kill -CONT "$local_pid"
ended "$prober" 90
[ "$status" = 0 ] || wrong "it ended with $status" "$work/hang.err"
kept=$("$bin/report" --csv "$work/hang.db" | tail -n +2 | wc -l)
[ "$kept" = $((100 * (hang + 10))) ] || wrong "$kept results were kept of $((100 * (hang + 10)))" "$work/hang.err"
[ "$(figure hang .untaken)" = 0 ] || wrong "the prober turned somebody away" "$work/hang.err"
echo "hang: $hang s, $files files open, $kept results kept of $((100 * (hang + 10)))"
exit "$bad"
