#!/bin/bash
# SPDX-License-Identifier: MIT
# What may come in over HTTP and through the topic that is no answer and no probe: each gets the
# status it should, and prober, responder and subscriber go on.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
stand_in
start prober prober --create --interval 50ms --timeout 1s --listen 127.0.0.1:0 --db "$work/a.db" --no-firestore
prober=$pid
ready prober 'listening on '
url=$line
address=${url#http://}
json -X PUT "$(pubsub subscriptions/watch)" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
probe_id() {
  json "$(pubsub subscriptions/watch:pull)" -d '{"maxMessages":1}' |
    jq -r '.receivedMessages[0].message.attributes.probe_id'
}

# says STATUS CURL-ARGUMENT...
says() {
  local want=$1 got
  shift
  got=$(curl -s -o "$work/body" -w '%{http_code}' --max-time 10 "$@")
  [ "$got" = "$want" ] || wrong "status $got, not $want: $*" "$work/body"
}
unknown=00000000000000000000000000000000
id=$(probe_id)
says 200 -X POST "$url/cloud_function/$id"
says 200 -X POST "$url/cloud_function/$id" # a second answer is counted
says 404 -X POST "$url/cloud_function/$unknown"
jq -e '.error.status == "NOT_FOUND"' "$work/body" >/dev/null || wrong "no JSON error" "$work/body"
says 404 -X POST "$url/cloud_function/x"
says 404 -X POST "$url/no_such_source/$id"
says 404 -X POST "$url/"
says 405 "$url/cloud_function/$id"
says 405 -X PUT "$url/cloud_function/$id" -d x
head -c 100000 /dev/zero >"$work/big"
says 413 -X POST --data-binary @"$work/big" "$url/cloud_function/$id"
says 413 -X POST -H 'Transfer-Encoding: chunked' --data-binary @"$work/big" "$url/cloud_function/$id"
# Half a request, and a connection that says nothing, hold up nobody.
exec 3<>"/dev/tcp/${address%:*}/${address#*:}" 4<>"/dev/tcp/${address%:*}/${address#*:}"
printf 'POST /cloud_function/%s HT' "$id" >&3
says 200 -X POST "$url/regular_service/$id"
exec 3>&- 4>&-
finished() { csv "$work/a.db" | grep "$id" | grep -q answered; }
until_true 10 finished || wrong "the answered probe is not in the file" "$work"/prober.*

# ---- a message without probe_id: acknowledged, counted, told once; by subscriber and responder ----
kill -KILL "$prober"
start prober prober --interval 1h --timeout 1s --listen "$address" --db "$work/a.db" --no-firestore
prober=$pid
ready prober 'listening on '
start subscriber subscriber --create --prober "$url"
subscriber=$pid
ready subscriber pulling
start responder responder --port 0 --listen 127.0.0.1 --prober "$url"
responder=$pid
ready responder 'listening on '
function=$line
json -X PUT "$(pubsub subscriptions/push)" \
  -d "{\"topic\":\"projects/demo-project/topics/probes\",\"pushConfig\":{\"pushEndpoint\":\"$function/\"}}" >/dev/null
for _ in 1 2 3; do json "$(pubsub topics/probes:publish)" -d '{"messages":[{"data":"bm8="}]}' >/dev/null; done
told() { grep -q probe_id "$work/$1.err"; }
for name in subscriber responder; do
  until_true 10 told $name || wrong "$name does not tell of a message without probe_id" "$work/$name.err"
done

# ---- push bodies ----
push() {
  says "$1" -X POST "$function/" -H 'Content-Type: application/json' --data-binary "$2"
  [ "$1" = 204 ] || jq -e '.error.message | length > 10' "$work/body" >/dev/null || wrong "no JSON error that says why: $2" "$work/body"
}
push 400 ''
push 400 '{"message":{"data":"'
push 400 "$(printf '[%.0s' $(seq 2000))"
push 400 '[]'
push 400 '{"message":7}'
push 400 '{"message":{"attributes":{"probe_id":7}}}'
push 400 '{"message":{"data":"%%%"}}'
push 204 '{"message":{"attributes":{"probe_id":"not an id"},"messageId":"1"}}'
push 204 '{"message":{"data":"bm8=","messageId":"1"},"subscription":"projects/p/subscriptions/s"}'
push 204 "{\"message\":{\"attributes\":{\"probe_id\":\"$unknown\"},\"messageId\":\"1\"}}"
says 405 -X DELETE "$function/"
sleep 0.3
for name in subscriber responder; do
  [ "$(grep -c "has no probe_id" "$work/$name.err")" = 1 ] || wrong "$name tells of it more than once" "$work/$name.err"
done

# ---- each ends with 0 within two seconds of SIGTERM ----
for pair in "subscriber $subscriber" "responder $responder" "prober $prober" "local $local_pid"; do
  kill -TERM "${pair#* }"
  ended "${pair#* }" 3
  [ "$status" = 0 ] || wrong "${pair% *} ended with $status" "$work/${pair% *}.err"
done

# ---- the prober is down: 503, so that Pub/Sub delivers again ----
start responder responder --port 0 --listen 127.0.0.1 --prober "$url"
ready responder 'listening on '
function=$line
push 503 "{\"message\":{\"attributes\":{\"probe_id\":\"$unknown\"},\"messageId\":\"1\"}}"
kill -TERM "$pid"
ended "$pid" 3
[ "$status" = 0 ] || wrong "the responder ended with $status" "$work/responder.err"
exit $bad
