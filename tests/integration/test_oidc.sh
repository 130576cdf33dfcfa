#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that show each other who they are: a prober that takes answers with an ID token only, a
# subscriber and a responder that show theirs, pushes with and without one; on a metadata server, a
# token endpoint and a key set of the test's own.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
account=responder@demo-project.iam.gserviceaccount.com
pusher=pusher@demo-project.iam.gserviceaccount.com
fake_google "$account"
stand_in

# says STATUS CURL-ARGUMENT...: also keeps the answer's head.
says() {
  local want=$1 got
  shift
  got=$(curl -s -o "$work/body" -D "$work/head" -w '%{http_code}' --max-time 10 "$@")
  [ "$got" = "$want" ] || wrong "status $got, not $want: ${*: -1}" "$work/body" "$work"/*.err
}
# bearer EMAIL AUDIENCE [MORE]: the header with such a token.
bearer() { echo "Authorization: Bearer $(curl -s "$google/mint?email=$1&aud=$2${3-}")"; }
fail() { curl -s -X POST "$google/fail?$1"; }
end() { kill -KILL "$1" && wait "$1"; } 2>/dev/null # an orderly end would wait for its answers

# Its address is the audience of tokens for it, so it is looked for first.
start first prober --create --interval 1h --listen 127.0.0.1:0 --db "$work/first.db" --no-firestore
ready first 'listening on '
url=$line
end "$pid"
guarded="--listen ${url#http://} --no-firestore --require-oidc $account --audience $url --jwks $google/certs"

# ---- who may answer ----
json -X PUT "$(pubsub subscriptions/watch)" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
# shellcheck disable=SC2086 # options
start prober prober $guarded --interval 1h --db "$work/a.db"
prober=$pid
ready prober 'listening on '
id=$(json "$(pubsub subscriptions/watch:pull)" -d '{"maxMessages":1}' | jq -r '.receivedMessages[0].message.attributes.probe_id')
answer=$url/cloud_function/$id
says 401 -X POST "$answer"
grep -qi '^WWW-Authenticate: Bearer' "$work/head" || wrong "401 without WWW-Authenticate" "$work/head"
says 401 -X POST -H "$(bearer "$account" https://another.example)" "$answer"
says 401 -X POST -H "$(bearer "$account" "$url" '&key=other')" "$answer"
says 401 -X POST -H "$(bearer "$account" "$url")" -H "$(bearer "$account" "$url")" "$answer"
says 403 -X POST -H "$(bearer "stranger@demo-project.iam.gserviceaccount.com" "$url")" "$answer"
says 200 -X POST -H "$(bearer "$account" "$url")" "$answer"
says 404 -X POST -H "$(bearer "$account" "$url")" "${answer%????}0000"
grep -q 'event=token_refused.*expected=' "$work/prober.err" || wrong "the log does not say which audience was expected" "$work/prober.err"
end "$prober"

# ---- no keys: nobody, and it is not the caller's fault ----
fail keys=503
# shellcheck disable=SC2086
start prober prober $guarded --interval 1h --db "$work/b.db"
prober=$pid
ready prober 'listening on '
says 503 -X POST -H "$(bearer "$account" "$url")" "$answer"
says 401 -X POST "$answer"
end "$prober"
fail ''

# ---- what is wrong is told at the start, with the way out ----
# refused TEXT ARGUMENT...: the subscriber ends with 1 and says that.
refused() {
  local text=$1 status=0
  shift
  timeout 30 "$bin/subscriber" --prober "$url" --prober-auth oidc "$@" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" = 1 ] && grep -q -- "$text" "$work/err" || wrong "status $status, or not '$text'" "$work/err"
}
fail tokens=404
refused 'ID token for the prober, http://127.*no service account'
fail ''
refused 'must be https' --prober http://prober.example
(export GOOGLE_APPLICATION_CREDENTIALS=$work/user.json; refused 'impersonate'; exit $bad) || bad=1
cp "$work/key.json" "$work/open.json"
chmod 644 "$work/open.json"
(export GOOGLE_APPLICATION_CREDENTIALS=$work/open.json; refused '--allow-unsafe-key overrides'; exit $bad) || bad=1

# ---- the experiment: one responder with a key that it may use nevertheless, the other without any ----
json -X PUT "$(pubsub subscriptions/push)" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
GOOGLE_APPLICATION_CREDENTIALS=$work/open.json start subscriber subscriber --create --prober "$url" --prober-auth oidc --allow-unsafe-key
ready subscriber pulling
start responder responder --port 0 --listen 127.0.0.1 --prober "$url" --prober-auth oidc \
  --push-account "$pusher" --push-audience https://function.example --jwks "$google/certs"
ready responder 'listening on '
function=$line
# push FILE: what Pub/Sub would do with the messages of a pull.
push() {
  local token message
  token=$(bearer "$pusher" https://function.example)
  jq -c '.receivedMessages[]? | {message}' "$1" >"$work/messages"
  while read -r message; do says 204 -H "$token" -d "$message" "$function"; done <"$work/messages"
  jq '{ackIds: [.receivedMessages[]?.ackId]}' "$1" >"$work/acks"
  json "$(pubsub subscriptions/push:acknowledge)" -d @"$work/acks" >/dev/null
}
probe='{"message":{"attributes":{"probe_id":"00000000000000000000000000000000"},"messageId":"1"}}'
says 401 -d "$probe" "$function"
says 401 -d 'no json' "$function"
says 403 -H "$(bearer "$account" https://function.example)" -d "$probe" "$function"
says 401 -H "$(bearer "$pusher" "$function")" -d "$probe" "$function"
says 400 -H "$(bearer "$pusher" https://function.example)" -d 'no json' "$function"
# shellcheck disable=SC2086
start prober prober $guarded --interval 50ms --count 10 --timeout 20s --db "$work/c.db"
prober=$pid
until gone "$prober" 2>/dev/null; do
  json "$(pubsub subscriptions/push:pull)" -d '{"maxMessages":20,"returnImmediately":true}' >"$work/pulled"
  push "$work/pulled"
  sleep 0.1 # between two looks
done
ended "$prober"
[ "$status" = 0 ] || wrong "the prober ended with $status" "$work"/prober.*
for source in cloud_function regular_service; do
  grep -q "^$source  *10 " "$work/prober.out" || wrong "$source has not answered all 10" "$work"/prober.out "$work"/*.err
done
[ "$(csv "$work/c.db" | grep -c 'answered.*answered')" = 10 ] ||
  wrong "not each probe was answered by both" "$work/prober.out"
exit $bad
