#!/bin/bash
# SPDX-License-Identifier: MIT
# Writes CSV files of odd results into the folder $1, one a kind, for report to be tried on.
set -eu
mkdir -p "$1"
cd "$1"
head=arbitrary_message_id,probe_sent,cloud_func_response_time,reg_service_response_time,saved_at

# rows N CLOUD SERVICE: N probes 5 s apart; the two are awk expressions of i, in ns, or "" for lost
rows() {
  echo "$head"
  awk -v n="$1" 'BEGIN { srand(1); for (i = 0; i < n; i++)
    printf "%032x,2026-11-24T%02d:%02d:%02dZ,%s,%s,\n", i + 1, int(i / 720) % 24, int(i / 12) % 60, i % 12 * 5, '"$2"', '"$3"' }'
}
rows 0 '""' '""' >none.csv
rows 1 50000000 40000000 >one.csv
rows 1 '""' '""' >one-lost.csv
rows 2 50000000 40000000 >two.csv
rows 50 '""' '""' >all-lost.csv
rows 50 '""' '40000000 + i' >one-answers.csv
rows 50 50000000 50000000 >equal.csv
rows 50 0 0 >zero.csv
rows 50 '(i == 7 ? "3600000000000" : 50000000 + int(rand() * 9e6))' '40000000 + int(rand() * 9e6)' >hour.csv
rows 50 '(i % 2 ? "" : 50000000)' '(i % 2 ? 40000000 : "")' >no-pairs.csv
rows 50 '50000000 + int(rand() * 9e6)' '40000000 + int(rand() * 9e6)' >plain.csv
# The prober's wall clock was put back by an hour half way.
awk -F, -v OFS=, 'NR > 25 { $2 = "2026-11-23T23" substr($2, 14) } 1' plain.csv >clock.csv
cut -d, -f1-3,5 plain.csv >one-source.csv
awk 'BEGIN { FS = OFS = "," } { $5 = (NR == 1 ? "third_response_time" : 45000000 + NR) } 1' plain.csv >three.csv
sed 's/$/\r/' plain.csv >crlf.csv
{ printf '\357\273\277'; cat plain.csv; } >bom.csv
sed '1s/cloud_func_response_time/"<img src=x onerror=alert(1)>_response_time"/' plain.csv >markup.csv
sed "1s/cloud_func_response_time/$(printf 'a_long_name%.0s' 1 2 3 4 5)_response_time/" plain.csv >long-name.csv
