#!/bin/bash
# SPDX-License-Identifier: MIT
# Firestore goes away midway and comes back, the broker stays: the prober goes on probing, says it
# once and what to do, recovers by itself, and in the end each probe is in Firestore once.
set -u
. tests/integration/programs.sh
stand_in
# A second one serves the documents, so that these alone can go away.
documents_at() {
  start "$1" local --pubsub-port 0 --firestore-port "$2" --db "$work/kept.db"
  docs=$pid
  ready "$1" FIRESTORE_EMULATOR_HOST=
  export FIRESTORE_EMULATOR_HOST=$line
}
documents_at first 0
address=$FIRESTORE_EMULATOR_HOST
# Before the prober, so that no probe misses it.
json -X PUT "$(pubsub topics/probes)" -d '{}' >/dev/null
json -X PUT "$(pubsub subscriptions/probes-regular-service)" \
  -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
start prober prober --interval 50ms --timeout 20s --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
  --db "$work/p.db" --source alone
prober=$pid
ready prober 'listening on '
start subscriber subscriber --source alone --prober "$line"
ready subscriber pulling

names() { document_names pubsub_results | sed 's|.*/||; s|"$||'; }
# more LIST NUMBER: whether the list has grown past that.
more() { [ "$($1 | wc -l)" -gt "$2" ]; }
rows() { csv "$work/p.db"; }
until_true 20 more names 5 || wrong "nothing is uploaded" "$work"/prober.*
kill -KILL "$docs"
wait "$docs" 2>/dev/null
told() { grep -q event=upload_fails "$work/prober.err"; }
until_true 20 told || wrong "the loss is not told" "$work/prober.err"
until_true 20 more rows "$(($(rows | wc -l) + 20))" || wrong "it does not go on probing" "$work"/prober.*
grep "event=upload_fails" "$work/prober.err" | grep -F "$address" | grep -F "$work/p.db" |
  grep -q 'hint="see that Firestore is there' || wrong "it is not said what to do" "$work/prober.err"

documents_at second "${address##*:}"
[ "$FIRESTORE_EMULATOR_HOST" = "$address" ] || wrong "it came back elsewhere"
# By itself: nothing but time tells the prober.
until_true 60 more names "$(rows | wc -l)" || wrong "it did not recover" "$work"/prober.*
kill -INT "$prober"
ended "$prober" 60
[ "$status" = 0 ] || wrong "the prober ended with $status" "$work"/prober.*
grep -q 'not all results are in Firestore' "$work/prober.err" && wrong "not all went up" "$work/prober.err"
[ "$(grep -c event=upload_fails "$work/prober.err")" = 1 ] || wrong "it is told more than once" "$work/prober.err"

rows | cut -d, -f1 | sort >"$work/rows"
names | sort >"$work/names"
[ -z "$(uniq -d "$work/names")" ] || wrong "uploaded twice: $(uniq -d "$work/names")"
diff "$work/rows" "$work/names" >"$work/diff" || wrong "rows and documents differ" "$work/diff"
[ "$(rows | grep -vc answered)" = 0 ] || wrong "a probe was not answered" "$work/prober.out"
exit $bad
