#!/bin/bash
# SPDX-License-Identifier: MIT
# Results files that the prober cannot write: it ends with 1 before it sends anything, names the file
# and why, and leaves everything as it was. Root may write anything, so root tries it as nobody.
# And files that it can: what becomes of one that is moved, and of what is old in one.
set -u
. tests/integration/programs.sh
stand_in
as=()
if [ "$(id -u)" = 0 ]; then
  command -v setpriv >/dev/null || { echo "SKIPPED: root, and no setpriv to be somebody else"; exit 77; }
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
# The tree may be where nobody else can look.
cp "$bin/prober" "$bin/report" "$work/"
chmod 755 "$work" "$work/prober" "$work/report"
options=(--create --no-firestore --count 2 --interval 1ms --timeout 20ms --source alone
  --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0)
probe() { timeout 30 "${as[@]}" "$work/prober" "${options[@]}" --db "$1" >"$work/out" 2>"$work/err"; }

open=$work/open closed=$work/closed
mkdir "$open" "$closed" "$work/secret"
chmod 777 "$open"
probe "$open/good.db" || wrong "a file that can be written" "$work/err"
cp "$open/good.db" "$open/ours.db"
cp "$open/good.db" "$closed/ours.db"
cp "$open/good.db" "$closed/unread.db"
: >"$open/empty.db"
chmod 444 "$open/ours.db" "$open/empty.db"
chmod 666 "$closed/ours.db"
chmod 000 "$closed/unread.db"
chmod 555 "$closed"
chmod 000 "$work/secret"

looks() {
  ls -l --time-style=full-iso "$open" "$closed"
  [ ! -f "$1" ] || cksum "$1"
}
# refused FILE TEXT...: with status 1 and each text in one line that names the file.
refused() {
  local file=$1 status=0 before after text
  before=$(looks "$file")
  probe "$file" || status=$?
  [ "$status" = 1 ] || wrong "$file: status $status" "$work/out" "$work/err"
  for text; do
    grep -F "$file" "$work/err" | grep -qF -- "$text" || wrong "$file: '$text' is not said" "$work/err"
  done
  after=$(looks "$file")
  [ "$before" = "$after" ] || wrong "$file: something was changed: $before; $after"
  [ -s "$work/out" ] && wrong "$file: it was begun" "$work/out"
}
denied="Permission denied; choose a place that this user may write to"
unwritable="may not be written to by this user: choose another file"
refused "$open/ours.db" "$unwritable"
refused "$open/empty.db" "$unwritable"
refused "$closed/ours.db" "$denied"
refused "$closed/unread.db" "$denied"
refused "$closed/new.db" "$denied"
refused "$work/secret/new.db" "$denied"
refused "$work/nowhere/new.db" "there is no folder $work/nowhere"
refused "$open/good.db/new.db" "Not a directory"
refused "$open" "is not a file but a folder"
refused /dev/full "is not a file but a device"

# Who may not write it may still look at it.
"${as[@]}" "$work/report" --csv "$closed/ours.db" >"$work/out" 2>"$work/err" ||
  wrong "the report cannot read a file that it need not write" "$work/err"
[ "$(wc -l <"$work/out")" = 3 ] || wrong "not the header and two rows" "$work/out"

# A file that is renamed under its prober, by its name and by a link's: nothing is lost, and the end says so.
ln -s moved.db "$open/link.db"
start moved prober "${options[@]}" --count 0 --db "$open/link.db"
ready moved 'listening on '
some() { [ "$(csv "$1" | wc -l)" -gt "$2" ]; }
until_true 15 some "$open/moved.db" 20 || wrong "it keeps nothing" "$work/moved.err"
mv "$open/moved.db" "$open/other.db"
until_true 15 grep -q 'event=results_carried_over' "$work/moved.err" || wrong "it does not see that its file was moved" "$work/moved.err"
grep -q 'event=results_file_gone' "$work/moved.err" || wrong "it does not say that its file was moved" "$work/moved.err"
until_true 15 some "$open/moved.db" 20 || wrong "there is no new file"
kill -INT "$pid"
ended "$pid"
[ "$status" = 0 ] || wrong "it ended with $status" "$work/moved.err"
grep -q 'was removed or renamed meanwhile: [1-9][0-9]* results' "$work/moved.out" || wrong "the end does not say it" "$work/moved.out"

# What is in Firestore and older than --keep goes; what is not there stays, and Firestore keeps what it has.
kept=(--create --interval 5ms --timeout 50ms --source alone --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$open/kept.db")
rows() { csv "$open/kept.db" | wc -l; }
timeout 30 "$bin/prober" "${kept[@]}" --count 40 --collection old >"$work/out" 2>"$work/err" || wrong "40 probes" "$work/err"
timeout 30 "$bin/prober" "${kept[@]}" --count 30 --no-firestore >"$work/out" 2>"$work/err" || wrong "30 more" "$work/err"
[ "$(rows)" = 70 ] || wrong "$(rows) rows instead of 70"
start young prober "${kept[@]}" --count 0 --interval 1h --no-firestore --keep 1s --log-level info
until_true 30 grep -q 'event=results_pruned results=40' "$work/young.err" || wrong "what is old does not go" "$work/young.err"
kill -INT "$pid"
ended "$pid"
[ "$(rows)" = 31 ] || wrong "$(rows) rows instead of 31" "$work/young.err"
[ "$(document_names old | wc -l)" = 40 ] || wrong "not the 40 documents of before"
chmod 700 "$work/secret" "$closed" # for the clean-up of who is not root
exit $bad
