#!/bin/bash
# SPDX-License-Identifier: MIT
# A disk without room when a prober starts, on a file system of 1 MB of the test's own: refused, in words
# that say so; and with room again the same command works.
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
exit $bad
