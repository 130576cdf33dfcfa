#!/bin/bash
# SPDX-License-Identifier: MIT
# Rare probes on a topic of their own, and messages without a probe beside the probes: the ones are a
# row of their own, the others are acknowledged in silence, and runs of different rates stand in one
# table.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
stand_in
for topic in probes rare; do json -X PUT "$(pubsub topics/$topic)" -d '{}' >/dev/null; done
for name in steady rare; do
  topic=probes
  [ $name = rare ] && topic=rare
  json -X PUT "$(pubsub "subscriptions/by-$name")" -d "{\"topic\":\"projects/demo-project/topics/$topic\"}" >/dev/null
done

# run_prober NAME ARGUMENT...: 40 probes of one source, who answers on both topics.
run_prober() {
  local name=$1
  shift
  start "$name" prober --interval 50ms --count 40 --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --no-firestore \
    --db "$work/p.db" --source only "$@"
  prober=$pid
  ready "$name" 'listening on '
  local others=()
  for which in steady rare; do
    start "$name-$which" subscriber --subscription "by-$which" --source only --prober "$line"
    others+=("$pid")
  done
  ended "$prober" 60
  [ "$status" = 0 ] || wrong "the prober ended with $status" "$work/$name".*
  for pid in "${others[@]}"; do
    kill -TERM "$pid"
    ended "$pid"
  done
}

# ---- as fast as probes alone, with three rare ones: too few ----
run_prober plain --cold-topic rare --cold-every 900ms
grep -qE 'only: [1-5] of 6 answers are there; [1-5] more are needed' "$work/plain.out" ||
  wrong "nothing is said of too few rare probes" "$work/plain.out"

# ---- with fillers, and enough rare ones ----
run_prober filled --cold-topic rare --cold-every 150ms --filler 100/s
grep -q 'Rare probes, on a topic of their own' "$work/filled.out" || wrong "no row of rare probes" "$work/filled.out"
grep -qE '^ *only +([6-9]|1[0-9]) +' "$work/filled.out" || wrong "no figures of rare probes" "$work/filled.out"

"$bin/report" --json "$work/p.db" >"$work/json" || wrong "no figures"
figures() { jq -e "$1" "$work/json" >/dev/null || wrong "not so: $1" "$work/json"; }
figures '.sources.only.sent == 80 and .sources.only.lost == 0'
figures '.runs[0].cold_every_ns == 900000000 and .runs[0].filler_ns == null'
figures '.runs[1].cold_every_ns == 150000000 and .runs[1].filler_ns == 10000000'
figures '.cold_cadence.only.answers >= 6 and .cold_cadence.only.p50_ns > 0'
figures '[.rates[] | [.messages_per_s, .source, .answers]] == [[20, "only", 40], [120, "only", 40]]'
"$bin/report" "$work/p.db" >"$work/report.out"
grep -qE '^ *20/s +only +40 ' "$work/report.out" || wrong "no table of rates" "$work/report.out"
grep -qE '^ *120/s +only +40 ' "$work/report.out" || wrong "no table of rates" "$work/report.out"

# ---- fillers are no failure, and none is left ----
cat "$work"/*-steady.err >"$work/steady.err"
grep -qiE 'reject|no probe_id|failed' "$work/steady.err" && wrong "fillers were taken for failures" "$work/steady.err"

# ---- out and in again ----
"$bin/report" --csv "$work/p.db" >"$work/rows.csv"
head -n 1 "$work/rows.csv" | grep -q ',cadence,' || wrong "no cadence in the rows"
"$bin/report" --csv "$work/rows.csv" >"$work/again.csv"
cmp -s "$work/rows.csv" "$work/again.csv" || wrong "the rows are not the same again"

# ---- what makes no sense is refused ----
"$bin/prober" --cold-every 5m >/dev/null 2>"$work/refused" && wrong "rare probes without a topic"
grep -q -- --cold-topic "$work/refused" || wrong "it is not said what is missing" "$work/refused"
for rate in 0/s 1 s/1 1/x 2000000/s; do
  "$bin/prober" --filler $rate >/dev/null 2>"$work/refused"
  [ $? = 2 ] || wrong "--filler $rate is taken" "$work/refused"
done
exit $bad
