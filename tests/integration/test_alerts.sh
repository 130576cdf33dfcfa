#!/bin/bash
# SPDX-License-Identifier: MIT
# The alert rules of deploy/ speak when a prober is gone, and are silent when all is well.
set -eu
build=$(readlink -f "${BUILD:-build}")
promtool=$(command -v promtool || echo "$build/promtool/usr/bin/promtool")
[ -x "$promtool" ] || { echo "SKIPPED: there is no promtool (Debian: in the package prometheus; tests/tools/get_promtool.sh takes it alone)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp deploy/prometheus-alerts.yml tests/data/alerts-test.yml "$work"
"$promtool" check rules "$work/prometheus-alerts.yml"
"$promtool" test rules "$work/alerts-test.yml"
