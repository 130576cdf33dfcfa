#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs libFuzzer targets, two on each processor, and says how many inputs each tried.
# usage: tests/fuzz/run.sh SECONDS PROGRAM...
set -u
seconds=$1
shift
if [ $# -gt 1 ]; then
  printf '%s\n' "$@" | xargs -P "$(($(nproc) * 2))" -n 1 "$0" "$seconds"
  exit
fi
failed=0
for program; do
  name=${program##*/fuzz_}
  found=${program%/bin/*}/found/$name
  log=${program%/bin/*}/$name.log
  mkdir -p "$found"
  if "$program" -max_total_time="$seconds" -max_len=20000 -timeout=30 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" -print_final_stats=1 "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    word=ok
  else
    word=FAILED
    failed=1
  fi
  printf '%-20s %s, %s inputs tried, %s kept\n' "$name" "$word" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(find "$found" -type f | wc -l)"
  [ "$word" = ok ] || tail -n 40 "$log"
done
exit $failed
