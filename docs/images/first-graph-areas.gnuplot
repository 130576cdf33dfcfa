# SPDX-License-Identifier: MIT
# The form of the first graph: two areas, one over the other. docs/first-graph.md says how to run it.
set terminal pngcairo size 1280,720 font 'sans-serif,10'
set output 'docs/images/first-graph-areas.png'
set datafile separator ','
set xdata time
set timefmt '%Y-%m-%dT%H:%M:%S'
set format x '%m-%d %I%p'
set key left top horizontal box
set border 9
unset ytics
set y2tics 10,25,460 rotate by -45 nomirror
set format y2 '%g ms'
set y2label 'Elapsed Millis' rotate by -90
set xtics nomirror out
set yrange [10:460]
set y2range [10:460]
f = 'build/first-graph.csv'
set style fill transparent solid 0.45 noborder
plot f using (strptime('%Y-%m-%dT%H:%M:%S', strcol(2))):(column(3) / 1e6) skip 1 axes x1y2 with filledcurves y=10 lc rgb '#f0e442' notitle, \
  f using (strptime('%Y-%m-%dT%H:%M:%S', strcol(2))):(column(4) / 1e6) skip 1 axes x1y2 with filledcurves y=10 lc rgb '#2f7fd0' notitle, \
  f using (strptime('%Y-%m-%dT%H:%M:%S', strcol(2))):(column(3) / 1e6) skip 1 axes x1y2 with lines lc rgb '#d8d020' title 'cloud function', \
  f using (strptime('%Y-%m-%dT%H:%M:%S', strcol(2))):(column(4) / 1e6) skip 1 axes x1y2 with lines lc rgb '#1070b8' title 'regular service'
