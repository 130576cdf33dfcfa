#!/bin/bash
# SPDX-License-Identifier: MIT
# Subscriptions that cannot bring anything: their topic was deleted, they are of another one, or they
# push. Told at the start, made again or refused, and found out while all run.
set -u
. tests/integration/programs.sh

sub_json() { json -X PUT -d "{\"topic\":\"projects/demo-project/topics/$2\"$3}" "$(pubsub "subscriptions/$1")" >"$work/made"; }
topic_of() { curl -s "$(pubsub "subscriptions/$1")" | sed -n 's|.*"topic": *"\([^"]*\)".*|\1|p'; }
# refused STATUS WORDS ARGUMENT...: a subscriber that does not start, and says why.
refused() {
  local words=$1
  shift
  timeout 15 "$bin/subscriber" --prober http://127.0.0.1:1 "$@" >"$work/out" 2>"$work/err"
  [ $? = 1 ] || wrong "not refused: $*" "$work/out" "$work/err"
  grep -q -- "$words" "$work/err" || wrong "not told '$words'" "$work/err"
}

at_start() {
  json -X PUT -d '{}' "$(pubsub topics/mine)" >"$work/made"
  json -X PUT -d '{}' "$(pubsub topics/other)" >"$work/made"
  sub_json another other ''
  refused 'subscribed to projects/demo-project/topics/other, not to projects/demo-project/topics/mine' \
    --create --topic mine --subscription another
  [ "$(topic_of another)" = projects/demo-project/topics/other ] || wrong "somebody's subscription was changed"
  sub_json pushed mine ',"pushConfig":{"pushEndpoint":"http://127.0.0.1:9/"}'
  refused 'pushes to http://127.0.0.1:9/' --topic mine --subscription pushed
  # Whose topic nobody has named is only warned of.
  start plain subscriber --subscription another --prober http://127.0.0.1:1
  local plain=$pid
  ready plain pulling
  grep -q event=subscription_unfit "$work/plain.err" || wrong "another topic is not told" "$work/plain.err"
  kill -TERM "$plain"
  ended "$plain"

  sub_json orphan mine ''
  curl -s -X DELETE "$(pubsub topics/mine)" >"$work/made"
  [ "$(topic_of orphan)" = _deleted-topic_ ] || wrong "the broker says otherwise: $(topic_of orphan)"
  refused 'is cut off: its topic was deleted' --topic mine --subscription orphan
  start again subscriber --create --topic mine --subscription orphan --prober http://127.0.0.1:1
  local again=$pid
  ready again pulling
  [ "$(topic_of orphan)" = projects/demo-project/topics/mine ] || wrong "it was not made again" "$work/again.err"
  kill -TERM "$again"
  ended "$again"
}

# The topic goes while all run: the prober makes it again, the subscriber its subscription.
meanwhile() {
  start prober prober --create --topic "$1" --source regular_service --interval 100ms --timeout 2s \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --no-firestore --db "$work/$1.db"
  local prober=$pid
  ready prober 'listening on '
  start subscriber subscriber --create --topic "$1" --subscription "$1-s" --prober "$line"
  local subscriber=$pid
  ready subscriber pulling
  answered() { [ "$(csv "$work/$1.db" | grep -c answered)" -gt "$2" ]; }
  until_true 20 answered "$1" 3 || wrong "nothing is answered" "$work"/prober.* "$work"/subscriber.*
  curl -s -X DELETE "$(pubsub "topics/$1")" >"$work/made"
  until_true 10 grep -q event=topic_made_again "$work/prober.err" || wrong "the topic is not made again" "$work/prober.err"
  grep -q 'subscriptions of the topic before are cut off' "$work/prober.err" || wrong "the prober does not say it" "$work/prober.err"
  local before
  before=$(csv "$work/$1.db" | grep -c answered)
  until_true "$2" answered "$1" $((before + 5)) || wrong "answers did not come back" "$work"/subscriber.*
  grep -q 'is cut off: its topic was deleted' "$work/subscriber.err" || wrong "it is not told" "$work/subscriber.err"
  kill -TERM "$subscriber"
  kill -INT "$prober"
  ended "$subscriber"
  ended "$prober"
}

stand_in
at_start
meanwhile deleted 40
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ]; then
  export PUBSUB_EMULATOR_HOST=$PSPROBE_TEST_PUBSUB_EMULATOR
  at_start
fi
exit $bad
