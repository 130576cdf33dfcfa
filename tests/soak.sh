#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each test program SOAK_RUNS times on one processor beside a loop that keeps it busy, so that threads
# are interrupted where they rarely are. Stops at the first failure and says which.
# usage: tests/soak.sh PROGRAM...
# environment: SOAK_RUNS (2000), and those of tests/run.sh
set -u
runs=${SOAK_RUNS:-2000}
log=${BUILD:-build}/soak.log
taskset -c 0 sh -c 'while :; do :; done' &
loop=$!
trap 'kill "$loop" 2>/dev/null' EXIT
trap 'exit 1' INT TERM
run=1
while [ "$run" -le "$runs" ]; do
  for program; do
    # One that hangs says where its threads stand; one that is skipped has not failed.
    BUILD=${BUILD:-build} taskset -c 0 tests/run.sh "$program" >"$log" 2>&1 && continue
    grep -q '^0 passed, 0 failed' "$log" && continue
    echo "FAILED: $program in run $run of $runs"
    tail -n 60 "$log"
    exit 1
  done
  [ $((run % 100)) != 0 ] || echo "soak: $run of $runs runs of $# tests"
  run=$((run + 1))
done
echo "soak: $# tests, $runs runs each: all passed"
