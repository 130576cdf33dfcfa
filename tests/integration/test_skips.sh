#!/bin/bash
# SPDX-License-Identifier: MIT
# What tests/run.sh makes of a skip: of a whole program, and of one test in a program that passes. It is
# told, and fails where nothing may be skipped.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
# program NAME STATUS WORDS: one that says WORDS and ends so.
program() {
  printf '#!/bin/sh\necho "%s"\nexit %s\n' "$3" "$2" >"$work/$1"
  chmod +x "$work/$1"
}
program passes 0 '[  PASSED  ] 2 test(s).'
program within 0 '[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] test_odd

 1 SKIPPED TEST(S)'
program outside 77 'SKIPPED: there is no such thing here'
# told STATUS NO_SKIP PROGRAM TEXT: run.sh with that program alone ends so and says so.
told() {
  BUILD=$work PSPROBE_NO_SKIP=$2 tests/run.sh "$work/$3" >"$work/out" 2>&1
  status=$?
  [ "$status" = "$1" ] && grep -qF "$4" "$work/out" && return
  echo "WRONG: $3 with PSPROBE_NO_SKIP='$2': status $status, or not told '$4'"
  sed 's/^/  /' "$work/out"
  bad=1
}
told 0 '' passes '1 passed, 0 failed, 0 skipped'
told 0 1 passes '1 passed, 0 failed, 0 skipped'
told 0 '' within 'ok, 1 of its tests SKIPPED'
told 0 '' within 'WARNING: 1 tests were SKIPPED'
told 1 1 within 'FAILED (exit status 0 with 1 of its tests skipped, and nothing may be skipped here)'
told 1 1 within 'FAILED: within'
told 1 '' outside '0 passed, 0 failed, 1 skipped'
told 1 1 outside 'FAILED (exit status 77, and nothing may be skipped here)'
exit $bad
