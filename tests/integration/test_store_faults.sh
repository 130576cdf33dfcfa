#!/bin/bash
# SPDX-License-Identifier: MIT
# Each system call by which a results file is kept fails, the first, the second, ... until no more are made:
# once, and then all from there on. No crash, nothing lost that was said to be kept, and where it ends with
# an error, a line that names the file and why. A write that is cut short is one at a limit of its size.
# environment: FAULT_ALL=1, every failure at every place (minutes)
set -u
keep=$PWD/${BUILD:-build}/tests/tools/keep
all=${FAULT_ALL:-}
probes=$((${#all} > 0 ? 12 : 3))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v strace >/dev/null || { echo "SKIPPED: there is no strace (Debian: apt-get install strace)"; exit 77; }
strace -o "$work/trial" -e trace=fsync true 2>"$work/err" ||
  { echo "SKIPPED: nothing may be traced here: $(cat "$work/err")"; exit 77; }

# A file of ours that is damaged.
damaged=$work/damaged.db
"$keep" "$damaged" 1 >"$work/out"
dd if=/dev/urandom of="$damaged" bs=1024 seek=1 count=40 conv=notrunc status=none

# look_at FOLDER WAY WHAT STATUS: prints what is wrong.
look_at() {
  local file=$1/r.db kept
  kept=$(sed -n 's/^kept //p' "$1/out" | tail -n 1)
  [ "$4" -le 1 ] || echo "WRONG: $2 $3: it ended with $4"
  [ "$4" != 1 ] || grep -q "$file.*: " "$1/err" || echo "WRONG: $2 $3: it does not say why: $(cat "$1/err")"
  grep -q '^write to .*I/O error$' "$1/err" && echo "WRONG: $2 $3: it does not say why: $(cat "$1/err")"
  grep 'Read-only file system' "$1/err" | grep -qv 'mount it' && echo "WRONG: $2 $3: it does not say what to do: $(cat "$1/err")"
  [ "$4" = 1 ] || [ "$kept" = "$probes" ] || echo "WRONG: $2 $3: it ended well with ${kept:-0} kept"
  if [ -n "$kept" ] && ! "$keep" --look "$file" "$kept" >"$1/look" 2>&1; then
    echo "WRONG: $2 $3: $kept were kept: $(cat "$1/look" "$1/err")"
  fi
  if [ "$2" != --damaged ]; then
    grep -q set_aside "$1/err" "$1/look" 2>/dev/null && echo "WRONG: $2 $3: it was taken for damaged"
  elif [ -z "$(find "$1" -name 'r.db*' -exec cmp -s "$damaged" {} \; -print)" ]; then
    echo "WRONG: $2 $3: what was damaged is gone"
  fi
}

# fail FOLDER WAY FAULT: a file of its own. Status 1: no call was hit.
fail() {
  local file=$1/r.db status=0 said=()
  mkdir "$1"
  [ "$2" = --damaged ] && cp "$damaged" "$file"
  [ "$2" = --remove ] && said=(--remove)
  strace -f -o "$1/trace" -P "$file" -P "$file-wal" -P "$file-journal" -P "$file-shm" -e trace="${3%%:*}" \
    -e inject="$3" "$keep" "${said[@]}" "$file" "$probes" >"$1/out" 2>"$1/err" || status=$?
  look_at "$1" "$2" "$3" "$status"
  grep -q INJECTED "$1/trace"
}

# each FOLDER WAY CALL ERROR LASTING: at each place.
each() {
  local n=1 status
  while fail "$1" "$2" "$3:error=$4:when=$n$5"; do
    rm -rf "${1:?}"
    n=$((n + 1))
  done
  [ "$n" -gt 1 ] || echo "WRONG: $2 $3: there is no such call"
  echo "$2 $3 $4$5: $((n - 1)) places"
  rm -rf "${1:?}"
}

# short FOLDER STEP: no file may be longer than so many KiB.
short() {
  local kib=1 status=1
  while [ "$status" != 0 ]; do
    mkdir "$1"
    status=0
    (trap '' XFSZ; ulimit -f "$kib"; exec "$keep" "$1/r.db" "$probes") >"$1/out" 2>"$1/err" || status=$?
    look_at "$1" --short "$kib KiB" "$status"
    rm -rf "${1:?}"
    kib=$((kib + $2))
    [ "$kib" -lt 20000 ] || { echo "WRONG: it never ends well" && break; }
  done
  echo "--short: up to $kib KiB"
}

# What lasts is not asked of a file that was removed: when the process ends there is nowhere to keep it.
cases() {
  echo 'keep fdatasync EIO .
keep pwrite64 ENOSPC .
keep ftruncate EIO .
keep unlink EIO .
keep pwrite64 EIO +
keep pwrite64 EROFS .
remove fdatasync EIO .
damaged rename EACCES .
damaged unlink EIO .'
  [ -z "$all" ] || echo 'keep fdatasync EIO +
keep pwrite64 ENOSPC +
keep pwrite64 EDQUOT +
keep pwrite64 EROFS +
keep pwrite64 EIO .
keep ftruncate EIO +
keep unlink EIO +
keep openat EMFILE .
keep openat EMFILE +
remove pwrite64 ENOSPC .
remove openat EMFILE .
damaged pwrite64 ENOSPC .
damaged pwrite64 EIO +
damaged rename EACCES +'
}
export -f each fail look_at short
export keep probes damaged
{
  cases | while read -r way call error lasting; do
    echo "each $work/$way-$call-$error$lasting --$way $call $error ${lasting#.}"
  done
  echo "short $work/short $([ -n "$all" ] && echo 1 || echo 7)"
} | xargs -P 4 -I LINE bash -c LINE >"$work/said"
cat "$work/said"

# A file system without locks.
for error in ENOLCK EOPNOTSUPP; do
  strace -o "$work/trace" -e trace=flock -e inject=flock:error="$error" "$keep" "$work/r.db" 1 >"$work/out" 2>"$work/err" &&
    echo "WRONG: flock $error: it is written without a lock" >>"$work/said"
  grep -q "r.db.*has no locks" "$work/err" || echo "WRONG: flock $error: it does not say why: $(cat "$work/err")" >>"$work/said"
done
! grep WRONG "$work/said"
