#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs each test program SOAK_RUNS times beside a loop that keeps each processor busy, many at once, so that
# threads are interrupted where they rarely are. At the first failure it says which and keeps its log. At the
# end, however it came, stands how often each ran.
# usage: tests/soak.sh PROGRAM...
# environment:
#   SOAK_RUNS     of each program (2000)
#   SOAK_AT_ONCE  programs that run at the same time; they mostly wait (12 a processor)
#   SOAK_GO_ON=1  go on after a failure
#   BUILD         (build): logs are under $BUILD/soak
set -eu -o pipefail
export SOAK_LAP=20 # runs in one go, which is what the totals count by
export SOAK_RUNS=${SOAK_RUNS:-2000} SOAK_GO_ON=${SOAK_GO_ON:-0}
SOAK_LOGS=$(realpath -m "${BUILD:-build}/soak")
export SOAK_LOGS PSPROBE_TEST_KEYS=$SOAK_LOGS/keys
at_once=${SOAK_AT_ONCE:-$((12 * $(nproc)))}

# lap NUMBER PROGRAM FIRST: one program, SOAK_LAP times; FIRST says where the whole stands.
lap() {
  local runs=$((SOAK_RUNS - $1 * SOAK_LAP)) name=${2#"${BUILD:-build}/"} log
  [ "$runs" -le "$SOAK_LAP" ] || runs=$SOAK_LAP
  [ "$2" != "$3" ] || [ $(($1 * SOAK_LAP % 100)) != 0 ] ||
    echo "$(date +%T) soak: $(($1 * SOAK_LAP)) of $SOAK_RUNS runs of each have begun"
  log=$SOAK_LOGS/${name//\//_}.$1.log
  # One that hangs gets SIGALRM, and says where its threads stand (tests/support/stacks.c).
  if PSPROBE_ROUNDS=$runs timeout -s ALRM -k 10 $((300 + 20 * runs)) "$2" >"$log" 2>&1; then
    rm "$log"
    echo "$runs $2" >>"$SOAK_LOGS/done"
    return
  fi
  echo "FAILED: $2: $(grep '^round .* failed' "$log"), its log is $log"
  tail -n 60 "$log" | sed 's/^/    /'
  echo "$2" >>"$SOAK_LOGS/failed"
  exit $((SOAK_GO_ON == 1 ? 1 : 255)) # which ends xargs
}
export -f lap

totals() {
  awk '{ runs[$2] += $1 } END { for (name in runs) printf "%6d runs  %s\n", runs[name], name }' "$SOAK_LOGS/done" | sort -k3
  echo "soak: $# tests, $at_once at once, load $(cut -d ' ' -f 1-3 /proc/loadavg), $(sort -u "$SOAK_LOGS/failed" | wc -l) of them failed"
}

mkdir -p "$PSPROBE_TEST_KEYS"
rm -f "$SOAK_LOGS"/*.log
: >"$SOAK_LOGS/done"
: >"$SOAK_LOGS/failed"
loops=()
for ((cpu = 0; cpu < $(nproc); cpu++)); do
  nice -n 5 bash -c 'while :; do :; done' &
  loops+=($!)
done
trap 'kill "${loops[@]}"; totals "$@"' EXIT
trap 'exit 1' INT TERM
laps() {
  for ((number = 0; number * SOAK_LAP < SOAK_RUNS; number++)); do
    for program; do printf '%s\n' "$number $program $1" || return 0; done
  done
}
laps "$@" | xargs -P "$at_once" -L 1 bash -c 'lap "$@"' lap
