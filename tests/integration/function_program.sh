# SPDX-License-Identifier: MIT
# A program of another language as a function of psprobe-local: from none at the first event, many at
# once, to none again; after a crash in the middle of an event that comes again.
# shellcheck shell=bash
# usage: check_program NAME COMMAND...   NAME is the function's, and its subscription's
check_program() {
  local name=$1 bin=${BUILD:-build}/examples work status=0
  shift
  work=$(mktemp -d)
  export LEDGER=$work/ledger
  "$bin/local" --pubsub-port 0 --firestore-port 0 --trigger news --function-name "$name" \
    --concurrency 20 --max-instances 2 --idle 500ms --start-timeout 60s --wait 60s --log-level info \
    -- "$@" >"$work/out" 2>"$work/log" &
  local host=$!
  run_program "$name" "$work" || { echo "--- log"; cat "$work/log"; status=1; }
  kill -TERM $host
  wait $host || { echo "psprobe-local ended with $?"; status=1; }
  rm -rf "$work"
  return $status
}

# Waits until a command succeeds.
until_true() { for _ in $(seq 1200); do "$@" && return; sleep 0.05; done; echo "in vain: $*"; return 1; }
lines() { [ "$(grep -c -- "$2" "$1" 2>/dev/null)" = "$3" ]; }

publish() { # work, text...
  local url messages="" text
  url=http://$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$1/out")/v1/projects/demo-project/topics/news:publish
  shift
  for text; do messages="$messages,{\"data\":\"$(printf %s "$text" | base64)\"}"; done
  curl -sS -f -H 'Content-Type: application/json' -d "{\"messages\":[${messages#,}]}" "$url" >/dev/null
}

run_program() { # name, work
  local work=$2
  until_true lines "$work/out" PSPROBE_LOCAL_PID= 1 || return 1
  lines "$work/log" event=instance_started 0 || { echo "it was started without an event"; return 1; }
  # shellcheck disable=SC2046
  publish "$work" $(seq 20)
  until_true lines "$LEDGER" . 20 || return 1
  [ "$(cut -d' ' -f4 "$LEDGER" | sort -n | uniq | wc -l)" = 20 ] || { echo "not each event came"; return 1; }
  lines "$LEDGER" " $1 " 20 || { echo "K_SERVICE is not $1"; return 1; }
  grep 'event=instance_output' "$work/log" | grep -q ready || { echo "what it printed is not logged"; return 1; }
  until_true lines "$work/log" 'event=instance_stopped.*why="it was idle" status=0' 1 || return 1
  publish "$work" die
  until_true lines "$LEDGER" ' die$' 1 || return 1
  lines "$work/log" 'event=instance_died' 1 || { echo "no line tells that it died"; return 1; }
  grep 'event=instance_died' "$work/log" | grep -q 'status=1 ' || { echo "nor how"; return 1; }
  until_true lines "$work/log" 'event=instance_stopped' 2 || return 1
  # Each cold start that the program saw is in the log, and the one that died of its first event.
  lines "$work/log" event=instance_started $(($(grep -c '^[^ ]* 1 ' "$LEDGER") + 1)) ||
    { echo "the log's cold starts are not the program's"; cat "$LEDGER"; return 1; }
}
