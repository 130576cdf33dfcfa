#!/bin/bash
# SPDX-License-Identifier: MIT
# What goes wrong in the middle: the broker is lost and comes back, Firestore is down, the prober is
# killed. Nothing is lost or stored twice, and the table says what happened.
set -u
. tests/integration/programs.sh
ports() { echo "${PUBSUB_EMULATOR_HOST##*:} ${FIRESTORE_EMULATOR_HOST##*:}"; }

# ---- the broker is lost midway, and comes back on the same ports ----
stand_in
start prober prober --create --interval 20ms --timeout 300ms --listen 127.0.0.1:0 \
  --no-firestore --db "$work/lost.db" --source regular_service
prober=$pid
ready prober 'listening on '
start subscriber subscriber --create --prober "$line"
subscriber=$pid
ready subscriber pulling
begun() { [ "$(csv "$work/lost.db" | wc -l)" -gt 5 ]; }
until_true 10 begun || wrong "no rows" "$work"/prober.*
kill -KILL "$local_pid"
wait "$local_pid" 2>/dev/null
sleep 1 # probes are sent into the void meanwhile, and time out
# shellcheck disable=SC2046 # two ports
stand_in $(ports)
# It has lost topic and subscription; --create makes them again, whoever comes first.
before=$(csv "$work/lost.db" | grep -c answered)
recovered() { [ "$(csv "$work/lost.db" | grep -c answered)" -gt $((before + 30)) ]; }
until_true 60 recovered || wrong "it did not recover" "$work"/prober.* "$work"/subscriber.*
kill -INT "$prober"
ended "$prober"
[ "$status" = 0 ] || wrong "after the broker was lost, the prober ended with $status" "$work"/prober.*
sent=$(awk '$1 == "regular_service" && $2 ~ /^[0-9]+$/ {print $2, $3 + $4 + $5; exit}' "$work/prober.out")
unsent=$(sed -n 's/^\([0-9,]*\) probes* could not be published.*/\1/p' "$work/prober.out")
rows=$(csv "$work/lost.db" | awk -F, '{if ($7 == "" && $8 == "lost") none++; else sent++} END {print sent, sent, none}')
[ "$sent ${unsent//,/}" = "$rows" ] || wrong "$rows rows, but the table has $sent, $unsent" "$work"/prober.out
grep -q 'event=publish_failing.*127.0.0.1' "$work/prober.err" || wrong "the loss is not told" "$work/prober.err"
grep -q event=topic_made_again "$work/prober.err" || wrong "the new topic is not told" "$work/prober.err"
grep -q event=subscription_made_again "$work/subscriber.err" || wrong "the new subscription is not told" "$work/subscriber.err"
[ "$(grep -c event=publish_failing "$work/prober.err")" -le 2 ] || wrong "the loss is told for each probe" "$work/prober.err"
kill -TERM "$subscriber"
ended "$subscriber" 3
[ "$status" = 0 ] || wrong "the subscriber ended with $status" "$work"/subscriber.*

# ---- Firestore is down from the start; a later run on the file uploads what the earlier left ----
up=$FIRESTORE_EMULATOR_HOST
quick="--create --interval 10ms --count 3 --timeout 100ms --listen 127.0.0.1:0 --db $work/down.db --source alone"
export FIRESTORE_EMULATOR_HOST=127.0.0.1:1
# shellcheck disable=SC2086 # options
timeout 30 "$bin/prober" $quick --collection down >"$work/out" 2>"$work/err"
status=$?
[ "$status" = 0 ] && [ "$(csv "$work/down.db" | wc -l)" = 3 ] || wrong "with Firestore down: status $status" "$work/out" "$work/err"
grep -q "the next run with that file uploads them" "$work/err" || wrong "it is not said what becomes of them" "$work/err"
export FIRESTORE_EMULATOR_HOST=$up
# shellcheck disable=SC2086
timeout 30 "$bin/prober" $quick --collection down >"$work/out" 2>"$work/err" || wrong "the later run failed" "$work/err"
[ "$(document_names down | wc -l)" = 6 ] || wrong "not the documents of both runs: $(document_names down)"

# ---- killed while probing fast, and started again on the file ----
fast="--interval 2ms --timeout 200ms --listen 127.0.0.1:0 --db $work/killed.db --collection killed --source alone"
# shellcheck disable=SC2086
start prober prober $fast
ready prober 'listening on '
enough() { [ "$(csv "$work/killed.db" | wc -l)" -gt 40 ]; }
until_true 10 enough || wrong "no rows" "$work"/prober.*
kill -KILL "$pid"
wait "$pid" 2>/dev/null
# shellcheck disable=SC2086
timeout 30 "$bin/prober" $fast --count 3 >"$work/out" 2>"$work/err" || wrong "it does not start again" "$work/err"
csv "$work/killed.db" | cut -d, -f1 | sort >"$work/rows"
document_names killed | sed 's|.*/||; s|"$||' | sort >"$work/names"
[ -z "$(uniq -d "$work/rows")" ] || wrong "stored twice: $(uniq -d "$work/rows")"
if [ "$(wc -l <"$work/names")" -lt 300 ]; then # one page
  diff "$work/rows" "$work/names" >"$work/diff" || wrong "rows and documents differ" "$work/diff"
fi

# ---- results files that it must not touch ----
refused() {
  local status=0
  timeout 20 "$bin/prober" --no-firestore --count 1 --interval 1ms --listen 127.0.0.1:0 --db "$1" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = 1 ] && grep -q "$2" "$work/err" || wrong "${1##*/}: status $status, or not '$2'" "$work/out" "$work/err"
}
# The header of a database has its version at byte 60, big-endian (https://sqlite.org/fileformat.html).
cp "$work/down.db" "$work/newer.db"
printf '\0\0\0\143' | dd of="$work/newer.db" bs=1 seek=60 conv=notrunc status=none
refused "$work/newer.db" 'newer'
# Somebody else's database: documents of the stand-in.
start foreign local --pubsub-port 0 --firestore-port 0 --db "$work/foreign.db"
ready foreign PUBSUB_EMULATOR_HOST=
kill -TERM "$pid"
ended "$pid"
before=$(cksum <"$work/foreign.db")
refused "$work/foreign.db" 'foreign.db is not a results file'
[ "$(cksum <"$work/foreign.db")" = "$before" ] || wrong "a file that is not ours was changed"
echo "some text of somebody's, long enough to be taken for the header of a database file, or so" >"$work/text.db"
before=$(cksum <"$work/text.db")
refused "$work/text.db" 'text.db'
[ "$(cksum <"$work/text.db")" = "$before" ] || wrong "a text file was changed"
refused "$work/no/such/folder.db" 'no/such/folder.db'
refused "$work" "$work"
exit $bad
