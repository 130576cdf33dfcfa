#!/bin/bash
# SPDX-License-Identifier: MIT
# A running prober's /metrics and the alert rules, as Prometheus' own promtool judges them; and the
# rules and the Grafana dashboard name only metrics that the prober has.
set -eu
build=${BUILD:-build}
promtool=$(command -v promtool || echo "$build/promtool/usr/bin/promtool")
[ -x "$promtool" ] || { echo "SKIPPED: there is no promtool (Debian: in the package prometheus; tests/tools/get_promtool.sh takes it alone)"; exit 77; }
command -v node >/dev/null || { echo "SKIPPED: there is no node (Debian: apt-get install nodejs)"; exit 77; }
command -v curl >/dev/null || { echo "SKIPPED: there is no curl (Debian: apt-get install curl)"; exit 77; }
work=$(mktemp -d)
# Each is ended by its id, and at once: nothing of theirs is to be kept.
pids=
trap '{ kill -KILL $pids || true; wait; } 2>/dev/null; rm -rf "$work"' EXIT

"$build/examples/local" --pubsub-port 0 --firestore-port 0 >"$work/local" &
pids="$pids $!"
for _ in $(seq 100); do grep -q FIRESTORE "$work/local" && break; sleep 0.1; done
eval "$(cat "$work/local")"
"$build/examples/prober" --project demo-project --create --interval 20ms --timeout 200ms --listen 127.0.0.1:0 \
  --admin-listen 127.0.0.1:0 --db "$work/m.db" >"$work/prober" 2>"$work/prober.log" &
prober=$!
for _ in $(seq 100); do grep -q "live page" "$work/prober" && break; sleep 0.1; done
answers=$(sed -n 's/^prober: listening on //p' "$work/prober")
page=$(sed -n 's/^prober: live page at //p' "$work/prober")
"$build/examples/subscriber" --project demo-project --create --prober "$answers" --log-level error >/dev/null 2>&1 &
pids="$prober $pids $!"
ok=
for _ in $(seq 150); do # until there are answers and losses
  curl -fsS "${page}metrics" >"$work/metrics"
  if grep -q '^psprobe_lost_total{source="cloud_function"} [1-9]' "$work/metrics" &&
    grep -q '^psprobe_answers_total{source="regular_service",status="answered"} [1-9]' "$work/metrics"; then ok=1; break; fi
  sleep 0.1
done
[ -n "$ok" ] || { cat "$work/metrics" "$work/prober.log"; echo "the prober counts no answers or no losses"; exit 1; }

# The results file can be read while the prober writes it.
for form in --json --csv "--html $work/m.html"; do
  # shellcheck disable=SC2086 # words of an option
  "$build/examples/report" $form "$work/m.db" >"$work/report" || { echo "report $form: a file that is being written cannot be read"; exit 1; }
  [ -s "$work/report" ]
done
"$build/examples/report" --csv "$work/m.db" | grep -q ',lost,' || { echo "the rows are not there yet"; exit 1; }

# promtool says what it has against a metric and still ends with 0 in some versions.
"$promtool" check metrics <"$work/metrics" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
[ ! -s "$work/said" ] || { cat "$work/said"; echo "promtool has something against /metrics"; exit 1; }
"$promtool" check rules deploy/prometheus-alerts.yml

node - "$work/metrics" <<'JS'
const { readFileSync } = require("node:fs");
const has = new Set();
for (const [, name, type] of readFileSync(process.argv[2], "utf8").matchAll(/^# TYPE (\S+) (\S+)$/gm))
  for (const end of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]) has.add(name + end);
const dashboard = JSON.parse(readFileSync("deploy/grafana-dashboard.json", "utf8"));
if (!dashboard.panels.length) throw new Error("the dashboard has no panels");
for (const file of ["deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yml"]) {
  const named = new Set(readFileSync(file, "utf8").match(/\bpsprobe_[a-z_]+/g));
  if (!named.size) throw new Error(`${file} names no metric`);
  for (const name of named) if (!has.has(name)) throw new Error(`${file} names ${name}, which the prober does not have`);
  console.log(`${file}: ${named.size} metrics, all there`);
}
JS
