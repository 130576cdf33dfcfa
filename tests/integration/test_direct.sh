#!/bin/bash
# SPDX-License-Identifier: MIT
# The responder's simple form, --direct: each pushed message becomes a document of four fields in
# Firestore, without a prober; on the stand-in, and on Google's emulators where they run.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: no jq"; exit 77; }
seconds() { date -d "$1" +%s.%N; }
# ascending A B C: in time
ascending() { printf '%s\n' "$@" | sort -cg 2>/dev/null; }

# direct NAME: a topic, a push subscription, and the responder, which ends by itself.
direct() {
  local topic=direct-$$ collection=direct_$$
  start "$1" responder --direct --once --port 0 --listen 127.0.0.1 --collection "$collection" --source "$1"
  local responder=$pid
  ready "$1" 'listening on '
  json -X PUT "$(pubsub "topics/$topic")" -d '{}' >/dev/null
  json -X PUT "$(pubsub "subscriptions/$topic")" \
    -d "{\"topic\":\"projects/demo-project/topics/$topic\",\"pushConfig\":{\"pushEndpoint\":\"$line/\"}}" >/dev/null
  local before after
  before=$(date +%s.%N)
  json "$(pubsub "topics/$topic:publish")" -d '{"messages":[{"data":"bm8=","attributes":{"probe_id":"00112233445566778899aabbccddeeff"}}]}' >/dev/null
  ended "$responder" 60
  [ "$status" = 0 ] || wrong "$1: the responder ended with $status" "$work/$1.err"
  after=$(date +%s.%N)
  json -X DELETE "$(pubsub "subscriptions/$topic")" >/dev/null

  curl -s --max-time 10 "$(documents "$collection")" >"$work/$1.json"
  jq -e --arg source "$1" '.documents | length == 1 and (.[0].fields |
      keys == ["elapsed", "publish_time", "saved_at", "source"]
      and .source.stringValue == $source
      and (.publish_time.timestampValue | length > 20) and (.saved_at.timestampValue | length > 20)
      and (.elapsed.stringValue | test("^[0-9]+([.][0-9]+)?(ns|us|ms|s)$")))' "$work/$1.json" >/dev/null ||
    { wrong "$1: not the document of the first experiment" "$work/$1.json"; return; }
  field() { jq -r ".documents[0].fields.$1.timestampValue" "$work/$2.json"; }
  ascending "$before" "$(seconds "$(field saved_at "$1")")" "$after" || wrong "$1: saved_at is not when it was saved" "$work/$1.json"
  # Google's broker may stamp to the millisecond only.
  ascending "$(echo "$before" | cut -c1-14)" "$(seconds "$(field publish_time "$1")")" "$(seconds "$(field saved_at "$1")")" ||
    wrong "$1: publish_time is not when it was published" "$work/$1.json"
}
stand_in
direct stand_in
[ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ] && [ -n "${PSPROBE_TEST_FIRESTORE_EMULATOR:-}" ] || {
  [ "$bad" = 0 ] || exit 1
  echo "SKIPPED: Google's emulators do not run; on the stand-in it is well"
  exit 77
}
export PUBSUB_EMULATOR_HOST=$PSPROBE_TEST_PUBSUB_EMULATOR FIRESTORE_EMULATOR_HOST=$PSPROBE_TEST_FIRESTORE_EMULATOR
direct google
exit $bad
