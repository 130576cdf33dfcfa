#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's Go client works on the stand-in by gRPC, unchanged; and the same sequence works on Google's emulator, where
# one runs (with_emulators), so that we know what it is worth.
set -eu
sources=${GOPATH:-/usr/share/gocode}
command -v go >/dev/null 2>&1 || { echo "SKIPPED: there is no go (Debian: apt-get install golang-go)"; exit 77; }
[ -e "$sources/src/cloud.google.com/go/pubsub" ] || {
  echo "SKIPPED: no Go client of Google's in $sources (Debian: apt-get install golang-google-cloud-dev)"
  exit 77
}
build=${BUILD:-build}
out=$(mktemp)
local='' other=''
trap 'kill $local $other 2>/dev/null || true; rm -f "$out" "$out.emulator"' EXIT
GO111MODULE=off GOPATH=$sources HOME=${HOME:-$build} \
  go build -o "$build/tests/interop_pubsub_go" "$(dirname "$0")"/pubsub/pubsub.go
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ]; then
  "$build"/tests/interop_pubsub_go "$PSPROBE_TEST_PUBSUB_EMULATOR" emulator >"$out.emulator" 2>&1 &
  other=$!
fi
"$build"/examples/local --pubsub-port 0 --firestore-port 0 >"$out" &
local=$!
until address=$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$out") && [ -n "$address" ]; do
  kill -0 $local
  sleep 0.1
done
"$build"/tests/interop_pubsub_go "$address"
[ -z "$other" ] || wait "$other" || { echo "On Google's emulator:"; cat "$out.emulator"; exit 1; }
