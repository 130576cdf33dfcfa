#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's generated Python client works on the stand-in by gRPC, unchanged, and on Google's emulator, where one runs
# (with_emulators), but for what that has not. The client lies in the Google Cloud CLI's own library folder, with a
# Python that has gRPC.
set -eu
root=${CLOUDSDK_ROOT:-$(gcloud info --format='value(installation.sdk_root)' 2>/dev/null)} || root=
python=$root/platform/bundledpythonunix/bin/python3
export PYTHONPATH="$root/lib/third_party" PYTHONDONTWRITEBYTECODE=1
if ! "$python" -c 'import importlib.util, grpc; from google import pubsub_v1' 2>/dev/null; then
  echo "SKIPPED: no Google Cloud CLI with Google's Python client in it (CLOUDSDK_ROOT)"
  exit 77
fi
here=$(dirname "$0")/pubsub
out=$(mktemp)
local='' other=''
trap 'kill $local $other 2>/dev/null || true; rm -f "$out" "$out.emulator"' EXIT
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ]; then
  "$python" "$here"/pubsub.py "$PSPROBE_TEST_PUBSUB_EMULATOR" emulator >"$out.emulator" 2>&1 &
  other=$!
fi
"${BUILD:-build}"/examples/local --pubsub-port 0 --firestore-port 0 >"$out" &
local=$!
until address=$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$out") && [ -n "$address" ]; do
  kill -0 $local
  sleep 0.1
done
"$python" "$here"/pubsub.py "$address"
[ -z "$other" ] || { wait "$other" && failed='' || failed=1; echo "On Google's emulator:"; cat "$out.emulator"; [ -z "$failed" ]; }
