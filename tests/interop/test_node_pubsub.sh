#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's Node client works on the stand-in by gRPC, unchanged.
set -eu
here=$(dirname "$0")/pubsub
"$(dirname "$0")"/install.sh "$here"
out=$(mktemp)
"${BUILD:-build}"/examples/local --pubsub-port 0 --firestore-port 0 >"$out" &
local=$!
trap 'kill $local; rm -f "$out"' EXIT
until address=$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$out") && [ -n "$address" ]; do
  kill -0 $local
  sleep 0.1
done
node "$here"/pubsub.mjs "$address"
