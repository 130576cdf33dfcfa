#!/bin/bash
# SPDX-License-Identifier: MIT
# report on odd results, in every form, as people call it: it ends well, says no NaN, keeps to a
# narrow terminal; and on files that are wrong: it says where.
set -eu
bin=${BUILD:-build}/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
complain() { echo "$*"; bad=1; }

tests/tools/odd_csv.sh "$work"
for file in "$work"/*.csv; do
  name=${file##*/}
  for form in "" --ascii --json --markdown --csv "--html $work/out.html"; do
    # shellcheck disable=SC2086 # words of an option
    COLUMNS=20 NO_COLOR=1 "$bin/report" $form "$file" >"$work/out" 2>"$work/err" || complain "$name $form: exit status $?: $(cat "$work/err")"
    [ ! -s "$work/err" ] || complain "$name $form: $(cat "$work/err")"
    grep -qiwE 'nan|-nan|inf|infinity' "$work/out" && complain "$name $form: $(grep -iwE 'nan|inf' "$work/out")"
    [ "$form" != --ascii ] || ! LC_ALL=C grep -q '[^ -~]' "$work/out" || complain "$name --ascii: $(LC_ALL=C grep '[^ -~]' "$work/out")"
  done
  # Nobody's name is markup: in the page it is shown as text.
  ! grep -q '<img' "$work/out.html" || complain "$name: a name got into the page as markup"
done
COLUMNS=20 "$bin/report" --ascii "$work/plain.csv" >"$work/out"
[ "$(wc -L <"$work/out")" -le 20 ] || complain "wider than 20 columns: $(cat "$work/out")"
grep -q "regular_service" "$work/out" || complain "the sentence is not there"
status=0
"$bin/report" "$work/plain.csv" >/dev/full 2>"$work/err" || status=$?
[ "$status" = 1 ] && grep -q 'write standard output: ' "$work/err" || complain "on a full disk: $status, $(cat "$work/err")"

# What one command makes of plain.csv is refused, with these words.
refused() {
  local words=$1 status=0
  shift
  "$@" <"$work/plain.csv" >"$work/wrong.csv"
  "$bin/report" - <"$work/wrong.csv" >"$work/out" 2>"$work/err" || status=$?
  if [ "$status" != 1 ] || [ -s "$work/out" ] || ! grep -qF -- "$words" "$work/err"; then
    complain "$*: exit status $status and '$(cat "$work/err" "$work/out")', not '$words'"
  fi
}
refused "standard input: it is empty" true
refused "line 1: there is no column probe_sent" sed 1s/probe_sent/other/
refused "line 1: there is no column arbitrary_message_id" sed 1s/arbitrary_message_id/other/
column="line 3, column reg_service_response_time:"
refused "$column '4x' is not a whole number of nanoseconds" sed '3s/,4[0-9]*,/,4x,/'
refused "$column 'nan' is not a whole number of nanoseconds" sed '3s/,4[0-9]*,/,nan,/'
refused "$column '1.5e0' is not a whole number of nanoseconds" sed '3s/,4[0-9]*,/,1.5e0,/'
refused "$column '9223372036854775807' is longer than eighteen years" sed '3s/,4[0-9]*,/,9223372036854775807,/'
refused "$column '-9223372036854775808' is longer than eighteen years" sed '3s/,4[0-9]*,/,-9223372036854775808,/'
refused "line 3, column probe_sent: 'yesterday' is not an RFC 3339 time" sed '3s/,2026[^,]*,/,yesterday,/'
refused "line 4: 4 fields for 5 columns" sed '4s/,[^,]*$//'

# Text has runs too: one is chosen, two are compared, and one that is not there is told.
{
  echo arbitrary_message_id,probe_sent,a_response_time,b_response_time,run_id
  for i in {10..59}; do
    echo "x$i,2026-11-24T10:00:${i}Z,$((50000000 + i * 37 % 100 * 1000)),40000000,first"
    echo "y$i,2026-11-24T11:00:${i}Z,$((30000000 + i * 41 % 100 * 1000)),40000000,second"
  done
} >"$work/runs.csv"
says() {
  local words=$1
  shift
  "$bin/report" "$@" "$work/runs.csv" >"$work/out" 2>&1 || true
  grep -qF -- "$words" "$work/out" || complain "$*: '$(cat "$work/out")', not '$words'"
}
says "100 probes"
says "50 probes" --run last
says "a: 50 ms at the median before (50 answers), 30 ms after (50): 20.0" --compare first second
says "a: 30 ms at the median before (50 answers), 50 ms after (50): 20.0" --compare sec first
says "has an id that begins with \"third\"" --run third
says "has an id that begins with \"third\"" --compare third first

# A million rows, in a few seconds, as one sentence and as a page of less than 3 MB.
"${BUILD:-build}/tests/tools/make_first_graph" 1 1000000 >"$work/million.csv"
timeout 60 "$bin/report" "$work/million.csv" >"$work/out"
grep -q "1,000,000 probes" "$work/out" || complain "a million rows: $(head -3 "$work/out")"
timeout 60 "$bin/report" --html "$work/out.html" "$work/million.csv" >/dev/null
[ "$(stat -c %s "$work/out.html")" -lt 3000000 ] || complain "the page of a million probes has $(stat -c %s "$work/out.html") bytes"
[ "$bad" = 0 ]
