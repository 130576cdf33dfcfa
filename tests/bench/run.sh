#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the benchmarks. They print ratios beside a peer measured in the same run, and fail for
# nothing but a crash.
set -u
status=0
for program; do
  echo "== ${program##*/bench_}"
  timeout -k 5 "${BENCH_TIMEOUT:-900}" "$program" || { echo "ended with exit status $?"; status=1; }
done
exit $status
