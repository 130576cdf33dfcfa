#!/bin/bash
# SPDX-License-Identifier: MIT
# A function as a program: SIGTERM in the middle of calls lets them end and takes no others; one that crashes
# acknowledges nothing; while all its threads are busy its health is told; settings that cannot be are named.
set -u
command -v curl >/dev/null || { echo "SKIPPED: there is no curl (Debian: apt-get install curl)"; exit 77; }
tools=$PWD/${BUILD:-build}/tests/tools
example=$PWD/${BUILD:-build}/examples/function
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
bad=0
wrong() {
  echo "WRONG: $*"
  sed 's/^/  /' log
  bad=1
}
# serve PROGRAM TARGET: with its port in $port
serve() {
  env -u FUNCTION_SIGNATURE_TYPE PORT=0 K_SERVICE=svc K_REVISION=svc-00001 FUNCTION_TARGET="$2" \
    PSPROBE_LOG_LEVEL=info "$1" >out 2>log &
  pid=$!
  for _ in $(seq 200); do
    port=$(sed -n 's/.*event=function_ready.* port=\([0-9]*\).*/\1/p' log)
    [ -n "$port" ] && return
    sleep 0.02
  done
  wrong "$2 does not come up"
  exit 1
}
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@"; }
until_true() { for _ in $(seq 200); do "$@" && return 0; sleep 0.05; done; return 1; }
refuses() { [ "$(status "http://127.0.0.1:$port/health")" = 000 ]; }

# Five calls of more than a second each; then SIGTERM: each is answered, and the program ends with 0.
serve "$tools/conformance" http_slow
grep -q 'service=svc revision=svc-00001' log || wrong "the service is not in the log"
calls=()
for i in 1 2 3 4 5; do
  status -d "{\"n\":$i}" "http://127.0.0.1:$port/" >"answer$i" &
  calls+=($!)
done
begun() { [ "$(status "http://127.0.0.1:$port/health")" = 200 ]; }
begun || wrong "its health waits for calls"
at_work() { [ "$(grep -c 'at work' out)" = 5 ]; }
until_true at_work || wrong "not all five are under way"
kill -TERM "$pid"
until_true refuses || wrong "it takes connections after SIGTERM"
kill -0 "$pid" 2>/dev/null || wrong "it ended before its calls"
wait "${calls[@]}"
for i in 1 2 3 4 5; do [ "$(cat "answer$i")" = 200 ] || wrong "call $i was answered $(cat "answer$i")"; done
wait "$pid" || wrong "it ended with exit status $?"
pid=
grep -q 'event=function_ending.* invocations=5' log || wrong "it does not say what it did"

# What crashes says no 2xx: the event comes again, to another instance.
serve "$tools/conformance" crash
[ "$(status -d '{}' "http://127.0.0.1:$port/")" = 000 ] || wrong "a crash was answered"
wait "$pid" 2>/dev/null && wrong "a crash ended with exit status 0"
pid=

# The example: an event in, its words out, and a request.
serve "$example" greet
[ "$(status -H 'Content-Type: application/json' -d '{"message":{"data":"d29ybGQ=","messageId":"1"}}' \
  "http://127.0.0.1:$port/")" = 204 ] || wrong "the example does not take a push"
grep -q 'hello, world (call 1, cold start)' out || wrong "the example says: $(cat out)"
kill "$pid"
wait "$pid" || wrong "the example ended with exit status $?"
serve "$example" hello
[ "$(curl -s "http://127.0.0.1:$port/")" = hello ] || wrong "the example does not answer"

# A port that is taken, one that is none, a target that is none.
PORT=$port "$example" 2>log && wrong "two listen at one port"
grep -q "in use" log || wrong "a taken port is not told"
kill "$pid"
wait "$pid"
pid=
PORT=70000 "$example" 2>log && wrong "70000 is a port"
grep -q 'PORT "70000"' log || wrong "PORT is not named"
FUNCTION_TARGET=grete "$example" 2>log && wrong "an unknown target is served"
grep -q 'greet (message), hello (http)' log || wrong "the targets are not listed"
exit $bad
