#!/bin/bash
# SPDX-License-Identifier: MIT
# Several probers at once, each with a file of its own, write to one collection: every run is whole there, its
# document tells how it ended, and a report of it is the one of its file; of all of them nothing is twice. On
# Google's Firestore emulator, where there is one.
# environment: PROBERS (3), COUNT (60): probes of each, 50 a second
set -u
. "${0%/*}/programs.sh"
probers=${PROBERS:-3}
count=${COUNT:-60}
collection=several_$$

stand_in
if [ -n "${PSPROBE_TEST_FIRESTORE_EMULATOR:-}" ]; then
  export FIRESTORE_EMULATOR_HOST=$PSPROBE_TEST_FIRESTORE_EMULATOR
else
  echo 'on the stand-in alone: there is no emulator of Google'
fi

pids=()
for ((i = 0; i < probers; i++)); do
  json -X PUT "$(pubsub "topics/topic-$i")" -d '{}' >/dev/null
  json -X PUT "$(pubsub "subscriptions/sub-$i")" -d "{\"topic\":\"projects/demo-project/topics/topic-$i\"}" >/dev/null
  start "p$i" prober --topic "topic-$i" --interval 20ms --count "$count" --source alone --collection "$collection" \
    --listen 127.0.0.1:0 --db "$work/p$i.db"
  pids+=("$pid")
  ready "p$i" 'listening on '
  start "r$i" subscriber --source alone --subscription "sub-$i" --prober "$line"
done
for ((i = 0; i < probers; i++)); do
  ended "${pids[i]}" $((count / 50 + 60))
  [ "$status" = 0 ] || wrong "prober $i ended with $status" "$work/p$i".*
done

for ((i = 0; i < probers; i++)); do
  run=$(sqlite3 "$work/p$i.db" 'SELECT id FROM runs')
  for form in json csv; do
    "$bin/report" "--$form" "$work/p$i.db" >"$work/file.$form"
    "$bin/report" "--$form" --firestore "$collection" --run "$run" >"$work/cloud.$form" 2>"$work/cloud.err" ||
      wrong "prober $i: no report of what is in Firestore" "$work/cloud.err"
    diff "$work/file.$form" "$work/cloud.$form" >"$work/diff" || wrong "prober $i: --$form differs" "$work/diff"
  done
  [ "$(($(wc -l <"$work/file.csv") - 1))" = "$count" ] || wrong "prober $i: not $count probes" "$work/p$i".*
  tail -n +2 "$work/file.csv" >>"$work/all.rows"
  json "$(documents "${collection}_runs/$run")" >"$work/run.json"
  tr -d ' \n' <"$work/run.json" | grep -q "\"probes\":{\"integerValue\":\"$count\"}" ||
    wrong "prober $i: its run's document has no summary" "$work/run.json"
  grep -q finished "$work/run.json" || wrong "prober $i: its run has not finished" "$work/run.json"
done
"$bin/report" --csv --firestore "$collection" 2>/dev/null | tail -n +2 | sort >"$work/all.cloud"
sort "$work/all.rows" | diff - "$work/all.cloud" >"$work/diff" || wrong 'of all of them, rows and documents differ' "$work/diff"
echo "$(wc -l <"$work/all.cloud") documents of $probers probers"
exit $bad
