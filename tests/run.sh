#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs one after another, says how each ended and what was skipped, and counts.
# usage: tests/run.sh PROGRAM...
set -u
passed=0 failed=0 skipped=0
for program; do
  log="$program.log"
  start=$(date +%s%N)
  # Each program is bounded: one that hangs is a failure, not a wait.
  timeout -k 5 "${TEST_TIMEOUT:-300}" "$program" >"$log" 2>&1
  status=$?
  took=$((($(date +%s%N) - start) / 1000000))
  case $status in
    0) passed=$((passed + 1)) word=ok ;;
    77) skipped=$((skipped + 1)) word=SKIPPED ;;
    *) failed=$((failed + 1)) word="FAILED (exit status $status)" ;;
  esac
  printf '%-58s %s, %s ms\n' "${program#*/tests/}" "$word" "$took"
  [ "$status" = 77 ] && sed 's/^/    /' "$log" | tail -n 3
  [ "$status" != 0 ] && [ "$status" != 77 ] && sed 's/^/    /' "$log" | tail -n 60
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
