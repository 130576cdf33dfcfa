#!/bin/sh
# SPDX-License-Identifier: MIT
# Requests that hold events in every form, through their readers; and that a wrong expectation would be
# seen, in whatever part of it.
set -eu
tool=${BUILD:-build}/tests/tools/events
"$tool" tests/data/events/*.json
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT
for change in 's/"messageId": "/"messageId": "9/' 's/"specversion": "1.0"/"specversion": "2.0"/' \
  's/"eventType": "google/"eventType": "gugel/' 's/"publishTimeNs": "1/"publishTimeNs": "2/'; do
  sed "$change" tests/data/events/push-basic.json >"$wrong"
  if "$tool" "$wrong" >/dev/null; then
    echo "a mismatch ended with exit status 0: $change"
    exit 1
  fi
done
sed 's/"error": /"message": {}, "was": /; s/"status": 400/"status": 204/' \
  tests/data/events/ce-structured-missing-source.json >"$wrong"
if "$tool" "$wrong" >/dev/null; then
  echo "a refusal that was not expected ended with exit status 0"
  exit 1
fi
