#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's Node client works on the stand-in by gRPC, unchanged; and the same sequence works on Google's emulator, where
# one runs (with_emulators), but for what that has not.
set -eu
here=$(dirname "$0")/pubsub
"$(dirname "$0")"/install.sh "$here"
out=$(mktemp)
local='' other=''
trap 'kill $local $other 2>/dev/null || true; rm -f "$out" "$out.emulator"' EXIT
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ]; then
  node "$here"/pubsub.mjs "$PSPROBE_TEST_PUBSUB_EMULATOR" emulator >"$out.emulator" 2>&1 &
  other=$!
fi
"${BUILD:-build}"/examples/local --pubsub-port 0 --firestore-port 0 >"$out" &
local=$!
until address=$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$out") && [ -n "$address" ]; do
  kill -0 $local
  sleep 0.1
done
node "$here"/pubsub.mjs "$address"
[ -z "$other" ] || { wait "$other" && failed='' || failed=1; echo "On Google's emulator:"; cat "$out.emulator"; [ -z "$failed" ]; }
