#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints what the prober has carried to Firestore, a line of JSON a probe, as psprobe-report reads it:
#     deploy/results.sh MY-PROJECT >results.jsonl && psprobe-report results.jsonl
# usage: results.sh PROJECT [COLLECTION [DATABASE]]
# environment: PSPROBE_FIRESTORE_ENDPOINT (Google's). Needs curl, jq, and gcloud for a token.
set -eu
[ $# -ge 1 ] || { echo "usage: results.sh PROJECT [COLLECTION [DATABASE]]" >&2; exit 2; }
base=${PSPROBE_FIRESTORE_ENDPOINT:-https://firestore.googleapis.com}
url="$base/v1/projects/$1/databases/${3:-(default)}/documents/${2:-pubsub_results}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Not among the arguments: those can be seen by everybody on the machine.
printf 'header = "Authorization: Bearer %s"\n' "$(gcloud auth print-access-token)" >"$work/header"
token=
while :; do
  curl -fsS --get -K "$work/header" --data pageSize=300 --data-urlencode "pageToken=$token" "$url" >"$work/page" ||
    { cat "$work/page" >&2; exit 1; }
  # {"fields":{"name":{"integerValue":"5"}}} to {"name":"5"}
  jq -c '(.documents // [])[].fields | map_values(to_entries[0].value)' "$work/page"
  token=$(jq -r '.nextPageToken // empty' "$work/page")
  [ -n "$token" ] || break
done
