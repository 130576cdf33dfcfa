#!/bin/bash
# SPDX-License-Identifier: MIT
# Three sources at once, two that pull and one that is pushed to: each is in the table, in the CSV
# and in the figures, and so is each pair of them.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
probes=40
stand_in
# All subscriptions are there before the prober, so that none misses a probe.
json -X PUT "$(pubsub topics/probes)" -d '{}' >/dev/null
for name in first second pushed; do
  json -X PUT "$(pubsub "subscriptions/by-$name")" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
done
start prober prober --interval 25ms --count $probes --timeout 60s --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
  --db "$work/p.db" --source first --source second --source pushed
prober=$pid
ready prober 'listening on '
url=$line
for name in first second; do
  start $name subscriber --subscription "by-$name" --source $name --prober "$url"
  ready $name pulling
done
start responder responder --port 0 --listen 127.0.0.1 --source pushed --prober "$url"
ready responder 'listening on '
json "$(pubsub subscriptions/by-pushed:modifyPushConfig)" \
  -d "{\"pushConfig\":{\"pushEndpoint\":\"$line/\"}}" >/dev/null
ended "$prober" 120
[ "$status" = 0 ] || wrong "the prober ended with $status" "$work/prober.out" "$work/prober.err"

# ---- the table of the prober, and of the report ----
"$bin/report" "$work/p.db" >"$work/report.out" 2>"$work/report.err" || wrong "no report" "$work/report.err"
for file in "$work/prober.out" "$work/report.out"; do
  for name in first second pushed; do
    grep -qE "^$name +$probes +$probes +0 +0 " "$file" || wrong "not all of $name's answers are in the table" "$file"
  done
  for pair in "first - second" "first - pushed" "second - pushed"; do
    grep -qE "^$pair: paired difference .* at the median of $probes;" "$file" || wrong "no pair $pair" "$file"
  done
done

# ---- the figures ----
"$bin/report" --json "$work/p.db" >"$work/json" || wrong "no figures"
figures() { jq -e --argjson n $probes "$1" "$work/json" >/dev/null || wrong "not so: $1" "$work/json"; }
figures '.sources | keys == ["first", "pushed", "second"]'
figures '.sources | all(.sent == $n and .answered == $n and .late == 0 and .lost == 0 and .p50_ns > 0)'
figures '[.pairs[] | [.a, .b]] == [["first", "second"], ["first", "pushed"], ["second", "pushed"]]'
figures '.pairs | all(.n == $n and .median_ns != null and .outcome != null and .holm_p >= .sign_p)'

# ---- the rows, and the documents ----
"$bin/report" --csv "$work/p.db" >"$work/rows.csv"
for column in first_response_time second_response_time pushed_response_time \
  first_status second_status pushed_status; do
  head -n 1 "$work/rows.csv" | tr , '\n' | grep -qx "$column" || wrong "no column $column" "$work/rows.csv"
done
[ "$(grep -c 'answered,.*answered,.*answered,' "$work/rows.csv")" = $probes ] || wrong "not all rows" "$work/rows.csv"
curl -s --max-time 10 "$(documents pubsub_results)?pageSize=300" >"$work/documents"
jq -e --argjson n $probes '.documents | length == $n and all(.fields.sources.mapValue.fields |
  keys == ["first", "pushed", "second"] and all(.mapValue.fields.status.stringValue == "answered"))' \
  "$work/documents" >/dev/null || wrong "the documents do not have all three" "$work/documents"
"$bin/report" --html "$work/page.html" "$work/p.db" >/dev/null && grep -q pushed "$work/page.html" || wrong "no page"
exit $bad
