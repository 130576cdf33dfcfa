#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's generated Python client works on the stand-in by gRPC, unchanged: it lies in the Google Cloud CLI's own
# library folder, with a Python that has gRPC.
set -eu
root=${CLOUDSDK_ROOT:-$(gcloud info --format='value(installation.sdk_root)' 2>/dev/null)} || root=
python=$root/platform/bundledpythonunix/bin/python3
export PYTHONPATH="$root/lib/third_party" PYTHONDONTWRITEBYTECODE=1
if ! "$python" -c 'import importlib.util, grpc; from google import pubsub_v1' 2>/dev/null; then
  echo "SKIPPED: no Google Cloud CLI with Google's Python client in it (CLOUDSDK_ROOT)"
  exit 77
fi
out=$(mktemp)
"${BUILD:-build}"/examples/local --pubsub-port 0 --firestore-port 0 >"$out" &
local=$!
trap 'kill $local; rm -f "$out"' EXIT
until address=$(sed -n 's/^PUBSUB_EMULATOR_HOST=//p' "$out") && [ -n "$address" ]; do
  kill -0 $local
  sleep 0.1
done
"$python" "$(dirname "$0")"/pubsub/pubsub.py "$address"
