#!/bin/bash
# SPDX-License-Identifier: MIT
# Every request that psprobe-setup makes, by Google's own types and clients (google/setup.mjs): the six
# sources made, changed and taken down on a project of our own whose APIs are off at first.
set -eu
interop=$(cd "$(dirname "$0")" && pwd)
"$interop"/install.sh "$interop"/google
build=$(cd "${BUILD:-build}" && pwd)
work=$(mktemp -d)
trap 'exec 9>&-; wait; rm -rf "$work"' EXIT
mkfifo "$work/hold"
exec 9<>"$work/hold"
"$build"/tests/tools/fake_admin "$work" run.googleapis.com eventarc.googleapis.com <"$work/hold" >"$work/url" 9>&- &
google=$!
for _ in $(seq 100); do [ -s "$work/url" ] && break; sleep 0.1; done
url=$(cat "$work/url")
export PSPROBE_PUBSUB_ENDPOINT=$url PSPROBE_FIRESTORE_ENDPOINT=$url PSPROBE_ADMIN_ENDPOINT=$url \
  GOOGLE_APPLICATION_CREDENTIALS=$work/key.json GOOGLE_CLOUD_PROJECT=demo-project
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST
setup() { "$build"/examples/setup "$@" --yes --no-doctor </dev/null >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }; }
setup apply --all --enable-apis --image docker.example/psprobe:1
setup apply --all --image docker.example/psprobe:2 --interval 1s --cold-every 20m
setup apply --function-url https://function.example/ --prober https://prober.example
setup apply --function-url https://other.example/ --prober https://prober.example
setup destroy
exec 9>&-
wait "$google"
[ -s "$work/requests" ]
node "$interop"/google/setup.mjs "$work/requests"
