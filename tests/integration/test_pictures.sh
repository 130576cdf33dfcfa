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
# Cold answers are squares, and the axis says so; where there are none, nothing does.
grep -q 'squares: cold' "$work/picture-series.svg" && wrong "cold answers in a file that has none"
{
  echo "arbitrary_message_id,probe_sent,a_response_time,b_response_time,a_cold"
  for i in 1 2 3 4 5 6; do echo "c$i,2026-11-24T22:10:0${i}Z,${i}000000,${i}500000,$((i == 3))"; done
} >"$work/cold.csv"
"$bin/report" --svg "$work/cold" "$work/cold.csv" >/dev/null 2>"$work/err" || wrong "a cold answer" "$work/err"
grep -q 'squares: cold' "$work/cold-series.svg" && grep -q 'gpPt3' "$work/cold-series.svg" || wrong "no cold answer in the picture"
# An outlier is in sight, below the key and not behind it.
awk 'BEGIN {
  print "arbitrary_message_id,probe_sent,a_response_time,b_response_time"
  for (i = 0; i < 60; i++)
    printf "o%d,2026-11-24T22:10:%02dZ,%.0f,40000000\n", i, i, i == 54 ? 3e9 : 4e7 + i * 7 % 60 * 1e5
}' >"$work/outlier.csv"
"$bin/report" --svg "$work/outlier" "$work/outlier.csv" >"$work/out" 2>"$work/err" || wrong "an outlier" "$work/err"
# The last of the dots is the key's own.
awk -F '[(,)]' '
  /text-anchor/ { at = $3 }
  /<text>a - b</ { key = at }
  /<use .*translate/ { y[n++] = $3 }
  END {
    for (i = 0; i < n - 1; i++) hidden += y[i] <= key
    exit !(n == 61 && key > 0 && !hidden)
  }' "$work/outlier-differences.svg" || wrong "an outlier is not in sight" "$work/outlier-differences.svg"
# A source's name is text, whatever it holds, by whatever way it came.
head='arbitrary_message_id,probe_sent'
rows=$(for i in 1 2 3 4 5 6; do echo "id$i,2026-11-24T22:10:0${i}Z,${i}000000,${i}500000"; done)
n=0
for name in '`touch PWNED`' 'a"" . system(""touch PWNED"") #' "a' . system('touch PWNED') . '" '@touch{_9 x}' '$(touch PWNED)' 'EOD'; do
  n=$((n + 1))
  printf '%s,"%s_response_time",b_response_time\n%s\n' "$head" "$name" "$rows" >"$work/evil$n.csv"
  (cd "$work" && "$bin/report" --svg "evil$n" "evil$n.csv") >"$work/out" 2>"$work/err" || wrong "evil $n" "$work/err"
  [ ! -e "$work/PWNED" ] || wrong "a command ran: $name"
  [ -s "$work/evil$n-differences.svg" ] || wrong "evil $n: no picture"
done
grep -q '`touch PWNED`' "$work/evil1-series.svg" || wrong "the name is not there as it is"
# Nobody's settings of gnuplot's meddle, nothing half made is left, a link is replaced and not followed.
mkdir "$work/home" && echo 'set datafile separator ","' >"$work/home/.gnuplot"
echo mine >"$work/theirs" && ln -s theirs "$work/linked-series.svg"
HOME=$work/home "$bin/report" --svg "$work/linked" "$work/first.csv" >/dev/null 2>"$work/err" || wrong "with a ~/.gnuplot" "$work/err"
[ "$(cat "$work/theirs")" = mine ] || wrong "a link was followed"
mkdir "$work/fake" && printf '#!/bin/sh\nexit 1\n' >"$work/fake/gnuplot" && chmod +x "$work/fake/gnuplot"
PATH=$work/fake:$PATH "$bin/report" --svg "$work/failed" "$work/first.csv" >/dev/null 2>&1 && wrong "a gnuplot that fails, and no failure"
[ -z "$(ls "$work" | grep -E 'failed|linked-[a-z]*[.][A-Za-z0-9]{6}$')" ] || wrong "something is left behind"
status=0
"$bin/report" --png "$work/none/picture" "$work/first.csv" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 1 ] && [ ! -s "$work/out" ] || wrong "into no folder: status $status" "$work/out"
[ "$(cat "$work/err")" = "psprobe-report: write $work/none/picture-series.png: No such file or directory" ] || wrong "into no folder" "$work/err"
# Without gnuplot it is said what to install.
mkdir "$work/empty"
PATH=$work/empty "$bin/report" --svg "$work/other" "$work/first.csv" >"$work/out" 2>"$work/err" && wrong "no gnuplot, and no failure"
grep -q 'apt-get install gnuplot-nox' "$work/err" || wrong "no gnuplot" "$work/err"
exit $bad
