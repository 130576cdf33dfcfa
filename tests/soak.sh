#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each test program SOAK_RUNS times on one processor beside a loop that keeps it busy, so that threads
# are interrupted where they rarely are. Stops at the first failure and says which.
# usage: tests/soak.sh PROGRAM...
# environment: SOAK_RUNS (2000), BUILD (build), TEST_TIMEOUT (60 seconds a run)
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
    taskset -c 0 timeout -k 5 "${TEST_TIMEOUT:-60}" "$program" >"$log" 2>&1
    status=$?
    [ "$status" = 0 ] || [ "$status" = 77 ] && continue
    echo "FAILED: $program in run $run of $runs (exit status $status)"
    tail -n 60 "$log"
    exit 1
  done
  [ $((run % 100)) != 0 ] || echo "soak: $run of $runs runs of $# tests"
  run=$((run + 1))
done
echo "soak: $# tests, $runs runs each: all passed"
