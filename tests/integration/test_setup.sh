#!/bin/bash
# SPDX-License-Identifier: MIT
# psprobe-setup where there are emulators: it makes what they have of it, again nothing, the experiment
# runs, and after destroy nothing of it is left and a stranger's things are as they were.
set -u
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
# shellcheck source=tests/integration/programs.sh
. tests/integration/programs.sh

# setup STATUS ARGUMENT...: must end with that status.
setup() {
  local want=$1
  shift
  status=0
  "$bin/setup" "$@" >"$work/setup.out" 2>"$work/setup.err" </dev/null || status=$?
  [ "$status" = "$want" ] || wrong "setup $*: exit status $status, not $want" "$work"/setup.*
}
says() {
  for text; do grep -qF -- "$text" "$work/setup.out" "$work/setup.err" || wrong "setup does not say: $text" "$work"/setup.*; done
}
ask() { curl -fsS -H 'Content-Type: application/json' "$@"; }

# around PROJECT: the whole of it on the emulators that the variables name.
around() {
  local base=http://$PUBSUB_EMULATOR_HOST/v1/projects/$1
  export GOOGLE_CLOUD_PROJECT=$1
  ask -X PUT "$base/topics/stranger" -d '{"labels":{"team":"other"}}' >/dev/null
  ask -X PUT "$base/subscriptions/probes-regular-service" -d "{\"topic\":\"projects/$1/topics/stranger\"}" >/dev/null
  setup 1 apply --yes --no-doctor
  says "refused    subscription probes-regular-service" "is somebody else's"
  ask "$base/topics/probes" >/dev/null 2>&1 && wrong "a refused apply made the topic"
  setup 0 destroy --yes
  ask "$base/subscriptions/probes-regular-service" >/dev/null || wrong "a stranger's subscription is gone"
  ask -X DELETE "$base/subscriptions/probes-regular-service" >/dev/null

  setup 1 apply
  says "create     topic probes" "nothing was changed"
  start responder responder --port 0 --listen 127.0.0.1 --prober http://127.0.0.1:"$2"
  ready responder 'listening on '
  local function=$line responder=$pid
  setup 0 apply --yes --function-url "$function/"
  says "done    topic probes" " 0 warnings, 0 failed" "psprobe-prober --project $1 --topic probes"
  setup 0 apply --yes --function-url "$function/" --json --no-doctor
  jq -e '.schema == 1 and .error == null and (.steps | length == 3 and all(.action == "unchanged"))' "$work/setup.out" >/dev/null ||
    wrong "a second apply" "$work/setup.out"
  start subscriber subscriber --prober http://127.0.0.1:"$2"
  local subscriber=$pid
  start prober prober --listen 127.0.0.1:"$2" --admin-listen 127.0.0.1:0 --db "$work/$1.db" --count 12 --interval 250ms --timeout 10s
  ended "$pid" 40
  [ "$status" = 0 ] || wrong "the prober" "$work"/prober.*
  grep -qE '^cloud_function +12 +12 ' "$work/prober.out" && grep -qE '^regular_service +12 +12 ' "$work/prober.out" ||
    wrong "not everything was answered" "$work/prober.out"
  kill -INT "$subscriber" "$responder"
  ended "$subscriber"
  ended "$responder"
  setup 0 destroy --yes
  says "done    topic probes"
  [ "$(ask "$base/subscriptions" | jq -c '.subscriptions // []')" = '[]' ] || wrong "subscriptions are left"
  [ "$(ask "$base/topics" | jq -c '[.topics[].name]')" = "[\"projects/$1/topics/stranger\"]" ] || wrong "topics are left, or lost"
  setup 0 destroy
  says "nothing of it is there"
}

# interrupted: Ctrl-C in the middle of an apply, then apply goes on, on a project of our own.
interrupted() {
  mkfifo "$work/hold"
  exec 9<>"$work/hold"
  "${bin%/examples}/tests/tools/fake_admin" "$work" <"$work/hold" >"$work/url" 9>&- &
  started+=("$!")
  until_true 15 grep -q http "$work/url" || { wrong "no Google"; return; }
  PSPROBE_ADMIN_ENDPOINT=$(cat "$work/url")
  export PSPROBE_ADMIN_ENDPOINT PSPROBE_PUBSUB_ENDPOINT=$PSPROBE_ADMIN_ENDPOINT PSPROBE_FIRESTORE_ENDPOINT=$PSPROBE_ADMIN_ENDPOINT \
    GOOGLE_APPLICATION_CREDENTIALS=$work/key.json GOOGLE_CLOUD_PROJECT=demo-project
  start stopped setup apply --image docker.example/psprobe:1 --yes --no-doctor
  until_true 20 grep -q 'done    service account probes-prober' "$work/stopped.out" || wrong "no account is made" "$work"/stopped.*
  kill -INT "$pid"
  ended "$pid"
  [ "$status" = 1 ] || wrong "Ctrl-C: exit status $status" "$work"/stopped.*
  grep -q 'apply goes on from here, destroy takes it away' "$work/stopped.err" || wrong "Ctrl-C is not told" "$work"/stopped.*
  grep -q 'All is done' "$work/stopped.out" && wrong "it was done before Ctrl-C" "$work/stopped.out"
  setup 0 apply --image docker.example/psprobe:1 --yes --no-doctor
  says "unchanged  topic probes" "All is done."
  setup 0 destroy --yes
  exec 9>&-
}

setup 2 make
setup 2 plan --topic Probes
says "3 to 12 lower-case letters"
stand_in
around demo-project 18431
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ] && [ -n "${PSPROBE_TEST_FIRESTORE_EMULATOR:-}" ]; then
  export PUBSUB_EMULATOR_HOST=$PSPROBE_TEST_PUBSUB_EMULATOR FIRESTORE_EMULATOR_HOST=$PSPROBE_TEST_FIRESTORE_EMULATOR
  # Its first answer can take longer than the doctor waits.
  until_true 60 curl -fs --max-time 30 "http://$FIRESTORE_EMULATOR_HOST/v1/projects/setup-$$/databases/(default)/documents/first"
  around "setup-$$" 18432
else
  echo "NOT SHOWN: Google's emulators (they were not at hand)"
fi
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST
interrupted
exit "$bad"
