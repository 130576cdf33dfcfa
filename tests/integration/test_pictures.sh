#!/bin/bash
# SPDX-License-Identifier: MIT
# report --svg and --png: the pictures are there, hold each source, and what cannot be written is
# told before gnuplot is asked.
set -u
command -v gnuplot >/dev/null || { echo "SKIPPED: there is no gnuplot (Debian: apt-get install gnuplot-nox)"; exit 77; }
. tests/integration/programs.sh
"${bin%/examples}/tests/tools/make_first_graph" >"$work/first.csv"
for format in svg png; do
  "$bin/report" --$format "$work/picture" "$work/first.csv" >"$work/out" 2>"$work/err" || wrong "--$format" "$work/err"
  [ ! -s "$work/err" ] || wrong "--$format complains" "$work/err"
  grep -q "picture-series.$format" "$work/out" || wrong "--$format does not say where" "$work/out"
  for plot in series differences ecdf histogram; do
    [ -s "$work/picture-$plot.$format" ] || wrong "no $plot.$format"
  done
done
for plot in series ecdf histogram; do
  grep -q 'cloud.*function' "$work/picture-$plot.svg" && grep -q 'regular.*service' "$work/picture-$plot.svg" || wrong "a source is missing in $plot"
done
# Sources that answered nothing, or nothing together, or in no time are drawn as far as there is something.
tests/tools/odd_csv.sh "$work/odd"
for name in one two one-answers no-pairs equal zero hour clock long-name markup three one-source; do
  "$bin/report" --svg "$work/odd/$name" "$work/odd/$name.csv" >"$work/out" 2>"$work/err" || wrong "$name" "$work/err"
  [ -s "$work/odd/$name-histogram.svg" ] || wrong "$name: no histogram"
done
status=0
"$bin/report" --png "$work/none/picture" "$work/first.csv" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 1 ] && [ ! -s "$work/out" ] || wrong "into no folder: status $status" "$work/out"
[ "$(cat "$work/err")" = "psprobe-report: write $work/none/picture-*: No such file or directory" ] || wrong "into no folder" "$work/err"
# Without gnuplot it is said what to install.
mkdir "$work/empty"
PATH=$work/empty "$bin/report" --svg "$work/other" "$work/first.csv" >"$work/out" 2>"$work/err" && wrong "no gnuplot, and no failure"
grep -q 'apt-get install gnuplot-nox' "$work/err" || wrong "no gnuplot" "$work/err"
exit $bad
