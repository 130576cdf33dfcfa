#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs one after another, says how each ended and what was skipped, and counts.
# A test passes with exit status 0 and is skipped with 77; PSPROBE_NO_SKIP=1 makes a skip a failure, also
# that of one test among others in a program that passes.
# usage: tests/run.sh PROGRAM...
set -u
passed=0 failed=0 skipped=0 within=0 failures=
build=${BUILD:-build} limit=${TEST_TIMEOUT:-300}
# Keys are made once a build (tests/support/data/keys.c): they take long, under sanitizers above all.
PSPROBE_TEST_KEYS=$(realpath -m "$build")/keys
export PSPROBE_TEST_KEYS
mkdir -p "$PSPROBE_TEST_KEYS"
for program; do
  name=${program#"$build"/}
  log=$build/${name%.sh}.log
  mkdir -p "${log%/*}"
  start=$(date +%s%N)
  # Each is bounded: one that hangs is a failure, not a wait, and says where it stands before it is ended.
  # shellcheck disable=SC2013 # pids are words
  { sleep $((limit > 10 ? limit - 10 : 1)) && for child in $(cat "/proc/$$/task/$$/children"); do
    [ "$(cat "/proc/$child/comm")" = timeout ] && tests/tools/stacks "$child"; done >>"$log" 2>&1; } >/dev/null 2>&1 &
  watch=$!
  timeout -k 5 "$limit" "$program" >"$log" 2>&1
  status=$?
  # shellcheck disable=SC2013
  for child in $(cat "/proc/$watch/task/$watch/children" 2>/dev/null); do kill "$child" 2>/dev/null; done
  took=$((($(date +%s%N) - start) / 1000000))
  # A program of many tests passes though some of them were skipped.
  inner=$(sed -n 's/^ *\([0-9][0-9]*\) SKIPPED TEST.*/\1/p' "$log" | tail -n 1)
  if [ -n "${PSPROBE_NO_SKIP:-}" ]; then
    case $status/${inner:-0} in
      77/*) status="77, and nothing may be skipped here" ;;
      0/0) ;;
      0/*) status="0 with $inner of its tests skipped, and nothing may be skipped here" ;;
    esac
  fi
  case $status in
    0) passed=$((passed + 1)) word=ok ;;
    77) skipped=$((skipped + 1)) word=SKIPPED ;;
    *) failed=$((failed + 1)) word="FAILED (exit status $status)" failures="$failures $name" ;;
  esac
  [ "$word" = ok ] && [ -n "$inner" ] && within=$((within + inner)) && word="ok, $inner of its tests SKIPPED"
  printf '%-58s %s, %s ms\n' "$name" "$word" "$took"
  [ "$word" = SKIPPED ] && sed 's/^/    /' "$log" | tail -n 3
  case $word in FAILED*) sed 's/^/    /' "$log" | tail -n "$([ "$status" = 124 ] && echo 200 || echo 60)" ;; esac
done
# Once more at the end, which is what a log that was cut short still shows.
for name in $failures; do
  echo "FAILED: $name"
  sed 's/^/    /' "$build/${name%.sh}.log" | tail -n 25
done
[ "$((skipped + within))" = 0 ] ||
  echo "WARNING: $((skipped + within)) tests were SKIPPED; what they would have shown is not shown."
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
