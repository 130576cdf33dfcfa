#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's functions framework and the CloudEvents SDK for Node, and we: the same requests give the same
# events, and each reads what the other writes.
set -eu
here=$(dirname "$0")
"$here"/install.sh "$here"/events
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT
server=$PWD/${BUILD:-build}/tests/tools/conformance
cd "$work"
PORT=0 "$server" cloudevent 2>log &
pid=$!
port=
for _ in $(seq 200); do
  port=$(sed -n 's/.*event=function_ready.* port=\([0-9]*\).*/\1/p' log)
  [ -n "$port" ] && break
  sleep 0.02
done
cd - >/dev/null
node "$here"/events/events.mjs "http://127.0.0.1:$port" "$work/function_output.json" tests/data/events/*.json
