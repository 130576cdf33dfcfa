# SPDX-License-Identifier: MIT
# For the scripts beside it that run the programs: starting, waiting for a line, asking over HTTP.
# shellcheck shell=bash
command -v curl >/dev/null || { echo "SKIPPED: there is no curl (Debian: apt-get install curl)"; exit 77; }
bin=$PWD/${BUILD:-build}/examples
work=$(mktemp -d)
started=()
bad=0
# Whether a process is a child of ours still: numbers of those that have gone are given to others.
ours() { [ "$(cut -d ' ' -f 4 "/proc/$1/stat" 2>/dev/null)" = $$ ]; }
cleanup() {
  for pid in "${started[@]}"; do ours "$pid" && kill -KILL "$pid" && wait "$pid"; done 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
unset GOOGLE_APPLICATION_CREDENTIALS
export GOOGLE_CLOUD_PROJECT=demo-project
export http_proxy='' no_proxy='*'

# wrong MESSAGE [FILE...]: the test has failed, and goes on.
wrong() {
  local file
  echo "WRONG: $1"
  shift
  for file; do sed "s|^|  ${file##*/}: |" "$file" | tail -n 20; done
  bad=1
}

# start NAME PROGRAM ARGUMENT...: in the background; output in $work/NAME.out and .err, pid in $pid.
start() {
  local name=$1 program=$2
  shift 2
  # Here and now, so that nobody takes what an earlier one of that name said for its first line.
  : >"$work/$name.out" 2>"$work/$name.err"
  "$bin/$program" "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  started+=("$pid")
}

# until_true SECONDS COMMAND...: looks 20 times a second.
until_true() {
  local i=$(($1 * 20))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ $((i -= 1)) -gt 0 ] || return 1
    sleep 0.05
  done
}

# ready NAME TEXT: the rest of the first line of NAME's output after TEXT, in $line.
ready() {
  until_true 15 grep -q -- "$2" "$work/$1.out" || { wrong "$1 is not ready" "$work/$1".*; exit 1; }
  line=$(sed -n "s|.*$2||p" "$work/$1.out" | head -n 1)
}

# ended PID: its exit status in $status; at most SECONDS from now.
ended() {
  status=0
  until_true "${2:-15}" gone "$1" || { wrong "process $1 has not ended"; ours "$1" && kill -KILL "$1"; }
  wait "$1" || status=$?
}
gone() { ! ours "$1" || grep -q '^State:.*Z' "/proc/$1/status"; }

# stand_in [PUBSUB_PORT FIRESTORE_PORT]: in $local_pid; exports both variables.
stand_in() {
  start local local --pubsub-port "${1:-0}" --firestore-port "${2:-0}" --db "$work/documents.db"
  local_pid=$pid
  ready local PUBSUB_EMULATOR_HOST=
  export PUBSUB_EMULATOR_HOST=$line
  ready local FIRESTORE_EMULATOR_HOST=
  export FIRESTORE_EMULATOR_HOST=$line
}
pubsub() { printf 'http://%s/v1/projects/demo-project/%s' "$PUBSUB_EMULATOR_HOST" "$1"; }
documents() {
  printf 'http://%s/v1/projects/demo-project/databases/(default)/documents/%s' "$FIRESTORE_EMULATOR_HOST" "$1"
}
# json CURL-ARGUMENT...: a call with a JSON body.
json() { curl -s --max-time 10 -H 'Content-Type: application/json' "$@"; }
# The names of a collection's documents, one a line. A page that does not come fails it: what is listed is all.
document_names() (
  token=''
  while :; do
    page=$(curl -sf --max-time 60 "$(documents "$1")?pageSize=300&mask.fieldPaths=run_id&pageToken=$token") ||
      exit 1
    grep -o '"name": *"[^"]*"' <<<"$page"
    token=$(sed -n 's|.*"nextPageToken": *"\([^"]*\)".*|\1|p' <<<"$page")
    [ -n "$token" ] || break
  done >"$work/names.unsorted"
  sort "$work/names.unsorted"
)
csv() { "$bin/report" --csv "$1" | tail -n +2; }

# fake_google EMAIL: tokens and keys of the test's own, at $google; every program finds them as if it
# ran on a machine of Google's whose account is EMAIL. Key files and $work/secrets: tests/tools/fake_google.c.
fake_google() {
  "${bin%/examples}/tests/tools/fake_google" "$work" "$1" >"$work/google.out" 2>"$work/google.err" &
  started+=("$!")
  ready google 'fake_google: '
  google=$line
  export GCE_METADATA_HOST=${google#http://} METADATA_SERVER_DETECTION=assume-present
  export CLOUDSDK_CONFIG=$work/gcloud
}
