#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract of Google's functions frameworks: what their conformance client asks a server for, of each
# signature type, and what it looks for in function_output.json; and ten requests at once.
# Source: https://github.com/GoogleCloudPlatform/functions-framework-conformance (client/validate.go)
set -u
for tool in curl jq; do
  command -v $tool >/dev/null || { echo "SKIPPED: there is no $tool (Debian: apt-get install $tool)"; exit 77; }
done
server=$PWD/${BUILD:-build}/tests/tools/conformance
kinds=$PWD/tests/data/events/kinds.json
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -KILL "$pid"; rm -rf "$work"' EXIT
cd "$work" || exit 1
bad=0
wrong() {
  echo "WRONG: $*"
  bad=1
}

# serve TYPE [TARGET]: as the client starts it, but for the port that it cannot choose.
serve() {
  : >"$work/log" # here and now, so that nobody takes the port of the one before for its own
  env -u FUNCTION_TARGET PORT=0 FUNCTION_SIGNATURE_TYPE="$1" "$server" ${2:+"$2"} 2>"$work/log" &
  pid=$!
  for _ in $(seq 200); do
    port=$(sed -n 's/.*event=function_ready.* port=\([0-9]*\).*/\1/p' "$work/log")
    [ -n "$port" ] && return
    sleep 0.02
  done
  echo "the server does not come up"
  exit 1
}
stop() {
  kill "$pid"
  wait "$pid" || wrong "it ended with exit status $?"
  pid=
}

# post BODY [HEADER...]: prints the answer; the client takes any 2xx.
post() {
  local body=$1 args=(-H 'Content-Type: application/json')
  shift
  for header; do [ "$header" = 'Content-Type: application/json' ] || args+=(-H "$header"); done
  curl -sS --fail "${args[@]}" --data-binary "$body" "http://localhost:$port/"
}
# holds WANTED: every member of it is in function_output.json, equal.
holds() {
  jq -e --argjson want "$1" 'def has_all($w): if ($w | type) == "object"
      then . as $g | all($w | keys[]; . as $k | ($g | type) == "object" and ($g | has($k)) and ($g[$k] | has_all($w[$k])))
      else . == $w end; has_all($want)' function_output.json >/dev/null
}

serve http
post '{"res":"PASS"}' >/dev/null || wrong "http is not 2xx"
holds '{"res":"PASS"}' || wrong "http: $(cat function_output.json)"
stop
serve http typed
[ "$(post '{"message":"Hello world!"}' | jq -c .payload)" = '{"message":"Hello world!"}' ] || wrong "typed"
stop

# Each event as a CloudEvent and as an older one, to each of the two types.
for type in cloudevent event; do
  serve $type
  count=0
  while IFS=$'\t' read -r name body expected headers; do
    readarray -t list < <(tr '|' '\n' <<<"$headers")
    rm -f function_output.json
    post "$body" "${list[@]}" >/dev/null || wrong "$type, $name is not 2xx"
    holds "$expected" 2>/dev/null || wrong "$type, $name: $(cat function_output.json 2>&1)"
    count=$((count + 1))
  done < <(jq -r --arg want "$([ $type = event ] && echo legacy || echo cloudevent)" '.[] | [.name, .request.body,
    (.expect[$want] | tojson), (.request.headers | to_entries | map("\(.key): \(.value)") | join("|"))] | join("\t")' \
    <(jq 'map(.request.body |= (fromjson | " " + tojson))' "$kinds"))
  echo "$type: $count events"
  [ "$count" -gt 40 ] || wrong "only $count events"
  stop
done

# timed COUNT BODY [HEADER...]: so many requests at once, in ms; each must be 2xx.
timed() {
  local start count=$1 pids=() i
  shift
  start=$(date +%s%N)
  for ((i = 0; i < count; i++)); do
    post "$@" >/dev/null &
    pids+=($!)
  done
  for p in "${pids[@]}"; do wait "$p" || wrong "a request of $count at once is not 2xx"; done
  took=$((($(date +%s%N) - start) / 1000000))
}
ce=('Ce-Id: 1' 'Ce-Source: //firebaseauth.googleapis.com/projects/p' 'Ce-Specversion: 1.0'
  'Ce-Type: google.firebase.auth.user.v1.created' 'Ce-Subject: users/u' 'Ce-Time: 2026-03-04T05:06:07.089Z')
older='{"eventId":"1","timestamp":"2026-03-04T05:06:07.089Z","eventType":"providers/firebase.auth/eventTypes/user.create",
  "resource":"projects/p","data":{"uid":"u"}}'
for target in http_slow typed_slow cloudevent_slow event_slow; do
  serve "" $target
  case $target in
    cloudevent*) request=('{"uid":"u"}' "${ce[@]}") ;;
    event*) request=("$older") ;;
    *) request=('{"data":"hello"}') ;;
  esac
  timed 1 "${request[@]}"
  one=$took
  timed 10 "${request[@]}"
  [ "$one" -ge 1000 ] || wrong "$target: one request took $one ms, no second"
  [ "$took" -le $((2 * one)) ] || wrong "$target: ten at once took $took ms, one $one ms"
  echo "$target: one $one ms, ten at once $took ms"
  stop
done

# The client's Go dials ::1 first.
serve http
curl -sS -o /dev/null "http://127.0.0.1:$port/health" || wrong "it does not listen on IPv4"
[ ! -e /proc/net/if_inet6 ] || curl -gsS -o /dev/null "http://[::1]:$port/health" || wrong "it does not listen on IPv6"
stop

# What is not in the table: the names that are.
env PORT=0 "$server" nobody 2>"$work/log" && wrong "an unknown target was served"
for name in http typed cloudevent event; do grep -q "$name ($name)" "$work/log" || wrong "$name is not listed"; done
exit $bad
