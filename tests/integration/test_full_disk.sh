#!/bin/bash
# SPDX-License-Identifier: MIT
# Small disks, file systems of the test's own. Without room when a prober starts: refused, in words that
# say so; with room again the same command works. 4 MB hold what fits into them: SQLite's log takes no
# room for long. A disk that is full while a prober runs, and full again, loses nothing: sending stops, is said to, and
# goes on when there is room.
set -u
if [ -z "${PSPROBE_IN_NAMESPACE:-}" ] && unshare --user --map-root-user --mount true 2>/dev/null; then
  PSPROBE_IN_NAMESPACE=1 unshare --user --map-root-user --mount "$0" "$@"
  status=$?
  [ "$status" = 76 ] || exit "$status"
fi
. tests/integration/programs.sh
disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=1m psprobe-test "$disk" 2>"$work/mount.err"; then
  [ -z "${PSPROBE_IN_NAMESPACE:-}" ] || exit 76 # once more, as who we are
  echo "SKIPPED: no file system may be mounted here: $(cat "$work/mount.err")"
  exit 77
fi
trap 'umount "$disk"; cleanup' EXIT
stand_in

run() { timeout 30 "$bin/prober" --create --count 2 --interval 2ms --timeout 50ms --source alone --no-firestore \
  --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$disk/$1.db" >"$work/out" 2>"$work/err"; }
fill() { dd if=/dev/zero of="$disk/ballast" bs=1024 count="$1" status=none 2>"$work/dd.err"; }

# left: KiB that are free; 0 to some pages, so that it fails at each step of making the file.
for left in 0 4 8 16 32; do
  fill $((1024 - left))
  run "full-$left"
  status=$?
  [ "$status" = 1 ] || wrong "with $left KiB left it ended with $status" "$work/out" "$work/err"
  grep -q "full-$left.db.*full" "$work/err" || wrong "with $left KiB left it does not say that the disk is full" "$work/err"
  grep -q "rollback" "$work/err" && wrong "with $left KiB left it speaks of a rollback" "$work/err"
  rm -f "$disk/ballast"
  run "full-$left" || wrong "with room again it fails after $left KiB" "$work/err"
  [ "$(csv "$disk/full-$left.db" | wc -l)" = 2 ] || wrong "not the results of two probes, after $left KiB"
  rm -f "$disk"/*
done

mount -o remount,size=4m "$disk"
rows() { csv "$disk/$1.db" | wc -l; }
small=(--create --timeout 50ms --source alone --no-firestore --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0)
timeout 120 "$bin/prober" "${small[@]}" --count 2000 --interval 1ms --db "$disk/many.db" >"$work/out" 2>"$work/err" ||
  wrong "2000 probes on 4 MB: it fails" "$work/err"
[ "$(rows many)" = 2000 ] || wrong "$(rows many) of 2000 probes fit on 4 MB" "$work/err"
grep -q held "$work/err" && wrong "4 MB are full before they are" "$work/err"
rm -f "$disk"/*

start again prober "${small[@]}" --count 0 --interval 5ms --db "$disk/again.db"
ready again 'listening on '
ready again 'live page at '
admin=${line%/}
metric() { curl -s --max-time 10 "$admin/metrics" | awk -v name="$1" '$1 == name {print $2}'; }
before=
grows() { [ "$(metric "$1")" -gt "${before:-0}" ]; }
said() { [ "$(grep -c "event=$1" "$work/again.err")" -ge "$2" ]; }
for time in 1 2; do
  before=$(metric psprobe_withheld_total)
  dd if=/dev/zero of="$disk/ballast" bs=1024 status=none 2>"$work/dd.err" # until nothing is left
  until_true 30 said results_held $time || wrong "it does not say that the disk is full, time $time" "$work/again.err"
  until_true 30 said sending_waits $time || wrong "it does not say that it sends no more, time $time" "$work/again.err"
  until_true 30 grows psprobe_withheld_total || wrong "it sends though nothing can be kept, time $time" "$work/again.err"
  rm -f "$disk/ballast"
  until_true 30 said results_kept_again $time || wrong "it does not go on, time $time" "$work/again.err"
  until_true 30 said sending_goes_on $time || wrong "it does not say that it sends again, time $time" "$work/again.err"
  before=$(metric psprobe_sent_total)
  until_true 30 grows psprobe_sent_total || wrong "it does not send again, time $time" "$work/again.err"
done
kill -INT "$pid"
ended "$pid" 30
[ "$status" = 0 ] || wrong "it ended with $status" "$work/again.err"
sent=$(sed -n 's/.*[^0-9]\([0-9][0-9]*\) probes.*/\1/p' "$work/again.out" | head -n 1)
[ -n "$sent" ] && [ "$(rows again)" = "$sent" ] || wrong "$(rows again) are kept of ${sent:-?}" "$work/again.out"
exit $bad
