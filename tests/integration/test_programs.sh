#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs as people call them: --help fits a screen, mistakes are told by name with the exit
# status they should have, and nothing that is wrong starts anything.
set -eu
bin=${BUILD:-build}/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST GOOGLE_CLOUD_PROJECT GOOGLE_APPLICATION_CREDENTIALS
bad=0

# expect STATUS TEXT PROGRAM ARGUMENT...: ends in 20 s with that status, and says that.
expect() {
  local want=$1 text=$2 status=0
  shift 2
  timeout 20 "$bin/$@" >"$work/out" 2>"$work/err" || status=$?
  if [ "$status" != "$want" ] || ! grep -qF -- "$text" "$work/out" "$work/err"; then
    echo "$*: exit status $status (not $want), or '$text' is missing in:"
    cat "$work/out" "$work/err"
    bad=1
  fi
}

for p in prober subscriber responder local report demo doctor setup function; do
  expect 0 "usage: psprobe-$p" $p --help
  [ "$(wc -l <"$work/out")" -le 24 ] && [ "$(wc -L <"$work/out")" -le 80 ] ||
    { echo "$p --help does not fit 80 x 24"; cat "$work/out"; bad=1; }
  expect 0 "psprobe-$p 0." $p --version
  expect 2 "--parsecs: unknown option" $p --parsecs
done
METADATA_SERVER_DETECTION=none CLOUDSDK_CONFIG=$work \
  expect 1 "no project is named (--project, GOOGLE_CLOUD_PROJECT)" prober --db "$work/a.db" --listen 127.0.0.1:0
expect 0 ".B PUBSUB_EMULATOR_HOST" subscriber --man
P="--project demo-project"
GOOGLE_APPLICATION_CREDENTIALS=$work/none.json expect 1 "none.json: No such file or directory" prober $P --db "$work/a.db"
! grep -q -e --create "$work/err" || { echo "a key file would not be made by --create:"; cat "$work/err"; bad=1; }
expect 2 "--interval: '5 parsecs' is not a duration" prober $P --interval "5 parsecs"
expect 2 "--interval: '0' is too short" prober $P --interval 0
expect 2 "--interval: '-5s' is not a duration" prober $P --interval -5s
expect 2 "--topic: " prober $P --topic ab
expect 2 "goog" prober $P --topic google-things
expect 2 "--topic: " subscriber $P --topic 1abc
expect 2 "--project: 'Upper' is no project id: 6 to 30" prober --project Upper
expect 2 "--listen: '127.0.0.1:99999' needs a port of 0 to 65535" prober $P --listen 127.0.0.1:99999
expect 2 "--admin-listen: '127.0.0.1' needs a port" prober $P --admin-listen 127.0.0.1
expect 2 "--listen: 'http://127.0.0.1:1' must be an address to listen on" prober $P --listen http://127.0.0.1:1
expect 2 "--listen: '127.0.0.1' needs a port" responder --listen 127.0.0.1
expect 2 "--listen: '::1:80' needs its IPv6 address in brackets" responder --listen ::1:80
expect 2 "--source: " prober $P --source "a/b"
expect 2 "--prober: '127.0.0.1:8080' is not a URL" subscriber $P --prober 127.0.0.1:8080
expect 2 "--prober: 'ftp://x' is not a URL" responder --prober ftp://x
expect 2 "--port: '70000' is not a whole number from 0 to 65535" responder --port 70000
expect 2 "firestore: this or a FILE" report
expect 2 "not together with a file" report --firestore x y
expect 2 "--json: not together with --csv" report --json --csv x.db

# Whose tokens are taken, and for whom they are, is said together or not at all.
E="--require-oidc a@p.iam.gserviceaccount.com"
expect 2 "--require-oidc: needs --audience too" prober $P $E
expect 2 "--audience: needs --require-oidc too" prober $P --audience https://x.example
expect 2 "--audience: 'https://x.example/' has something after the host" prober $P $E --audience https://x.example/
expect 2 "--require-oidc: 'somebody' is no account" prober $P --require-oidc somebody
expect 2 "--platform-verified: is of no use without --require-oidc" prober $P --platform-verified
expect 2 "--push-audience: needs --push-account too" responder --push-audience https://x.example/push
expect 2 "--push-account: needs --push-audience too" responder --push-account a@p
expect 2 "--jwks: is of no use without --push-account" responder --jwks https://x.example
expect 2 "--prober-auth: 'basic' is none of none, oidc" subscriber $P --prober-auth basic
expect 1 "/nowhere/x.db: unable to open database file (No such file or directory)" local --pubsub-port 0 --firestore-port 0 --db /nowhere/x.db
expect 1 "nowhere.db" report "$work/nowhere.db"
echo "not a database, but text that is long enough to be read as a header of one" >"$work/text.db"
expect 1 "text.db" report "$work/text.db"

# A port in use is named, with the option.
"$bin/responder" --port 0 --listen 127.0.0.1 >"$work/first" 2>&1 &
first=$!
for _ in $(seq 100); do grep -q listening "$work/first" && break; sleep 0.05; done
port=$(sed -n 's/.*:\([0-9]*\)$/\1/p' "$work/first")
expect 1 "127.0.0.1:$port" responder --listen 127.0.0.1 --port "$port"
# What is wrong on this machine is told before the broker, which is not there, is asked.
export PUBSUB_EMULATOR_HOST=127.0.0.1:1 FIRESTORE_EMULATOR_HOST=127.0.0.1:1
expect 1 "127.0.0.1:$port: the address is in use" prober $P --db "$work/a.db" --listen "127.0.0.1:$port"
expect 1 "there is no folder $work/none" prober $P --db "$work/none/a.db" --listen 127.0.0.1:0
expect 1 "not a file but a folder" prober $P --db "$work" --listen 127.0.0.1:0
kill "$first"
wait "$first" || { echo "responder did not end well on SIGTERM"; bad=1; }

# A broker that is not there is told with its address and what to start.
expect 1 "127.0.0.1:1" prober $P --db "$work/a.db" --listen 127.0.0.1:0
expect 1 "psprobe-local starts one" prober $P --create --db "$work/a.db" --listen 127.0.0.1:0
expect 1 "127.0.0.1:1" subscriber $P --create
expect 1 "psprobe-local starts one" subscriber $P

# A subscription that is not there is told at once, and what makes it.
eval "$("$bin/local" --pubsub-port 0 --firestore-port 0 &)"
expect 1 "subscription probes-regular-service: NOT_FOUND (HTTP 404): Subscription does not exist" subscriber $P
expect 1 "make it with --create" subscriber $P
expect 0 "Nobody answered as cloud_function: $bin/doctor looks for what is missing." prober $P --create --count 1 \
  --timeout 10ms --no-firestore --db "$work/silent.db" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0
cat -s "$work/out" | cmp -s - "$work/out" || { echo "empty lines stand together in:"; cat "$work/out"; bad=1; }
kill "$PSPROBE_LOCAL_PID"
exit $bad
