#!/bin/bash
# SPDX-License-Identifier: MIT
# --once of the subscriber and of the responder: one message is answered, however many wait, the
# program ends with 0 by itself, and the next one has another.
set -u
. tests/integration/programs.sh
stand_in
json -X PUT "$(pubsub topics/probes)" -d '{}' >/dev/null
metric() { curl -s --max-time 10 "$admin/metrics" | awk -v name="$1" '$1 == name {print $2}'; }
is() { [ "$(metric "$1")" = "$2" ]; }

# prober NAME: 30 probes for one source, and a subscription that was there before.
prober() {
  json -X PUT "$(pubsub "subscriptions/$1")" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
  start "prober_$1" prober --interval 5ms --count 30 --timeout 120s --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --db "$work/$1.db" --no-firestore --source "$1"
  prober=$pid
  ready "prober_$1" 'listening on '
  url=$line
  ready "prober_$1" 'live page at '
  admin=${line%/}
  until_true 30 is psprobe_sent_total 30 || wrong "not all are sent" "$work/prober_$1.err"
}
# one NAME NUMBER: it has ended well, and so many probes are answered now.
one() {
  ended "$pid" 30
  [ "$status" = 0 ] || wrong "$1 --once ended with $status" "$work/$1.err"
  until_true 15 is psprobe_in_flight_probes $((30 - $2)) || wrong "$1 --once: $(metric psprobe_in_flight_probes) of 30 wait still"
}
# over NAME: with those two answers.
over() {
  kill -INT "$prober"
  until_true 15 grep -q 'waiting for answers' "$work/prober_$1.err" || wrong "it does not stop"
  kill -INT "$prober" # nobody will answer the others
  ended "$prober"
  [ "$(csv "$work/$1.db" | grep -c answered)" = 2 ] || wrong "not two answers" "$work/prober_$1.out"
}

prober pulled
for number in 1 2; do
  start subscriber subscriber --once --subscription pulled --source pulled --prober "$url"
  one subscriber $number
done
over pulled

# Five pushes at once, as a broker that has a backlog sends them.
prober pushed
json "$(pubsub subscriptions/pushed:pull)" -d '{"maxMessages":5}' |
  grep -oE '"probe_id": *"[0-9a-f]{32}"' | grep -oE '[0-9a-f]{32}' >"$work/ids"
[ "$(wc -l <"$work/ids")" = 5 ] || wrong "not five probes" "$work/ids"
for number in 1 2; do
  start responder responder --once --port 0 --listen 127.0.0.1 --source pushed --prober "$url"
  ready responder 'listening on '
  curls=()
  while read -r id; do
    json -o /dev/null -w '%{http_code}\n' "$line/" -d "{\"message\":{\"attributes\":{\"probe_id\":\"$id\"}}}" >"$work/said.$id" &
    curls+=($!)
  done <"$work/ids"
  wait "${curls[@]}"
  # What comes after it has ended finds nobody (000), which a broker delivers again likewise.
  cat "$work"/said.* >"$work/said"
  [ "$(grep -c 204 "$work/said")" = 1 ] && ! grep -qv '204\|503\|000' "$work/said" || wrong "not one 204" "$work/said"
  one responder $number
  sed -i "/$(cd "$work" && grep -l 204 said.* | grep -oE '[0-9a-f]{32}')/d" "$work/ids"
  rm "$work"/said.*
done
over pushed
exit $bad
