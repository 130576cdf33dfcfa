#!/bin/bash
# SPDX-License-Identifier: MIT
# The alert rules of deploy/ speak when a prober is gone, and are silent when all is well.
set -eu
command -v promtool >/dev/null || { echo "SKIPPED: there is no promtool (Debian: apt-get install prometheus)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp deploy/prometheus-alerts.yml tests/data/alerts-test.yml "$work"
promtool check rules "$work/prometheus-alerts.yml"
promtool test rules "$work/alerts-test.yml"
