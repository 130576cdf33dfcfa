#!/bin/bash
# SPDX-License-Identifier: MIT
# The C programs of docs/ are what they say: each is compiled as a reader would, and run on the stand-in.
set -u
. "${0%/*}/programs.sh"
build=${bin%/examples}

# program NAME: docs/NAME.md's first C program, compiled to $work/NAME
program() {
  awk '/^```c$/ {on = 1; next} /^```$/ {if (on) exit} on' "docs/$1.md" >"$work/$1.c"
  [ -s "$work/$1.c" ] || { wrong "docs/$1.md has no C program"; return 1; }
  # shellcheck disable=SC2086 # a compiler may be words
  ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude "$work/$1.c" -L"$build" -lpsprobe \
    -Wl,-rpath,"$build" -o "$work/$1" 2>"$work/$1.log" || { wrong "docs/$1.md does not compile" "$work/$1.log"; return 1; }
}

stand_in
unset GOOGLE_CLOUD_PROJECT

if program pubsub; then
  mkfifo "$work/keys"
  "$work/pubsub" <"$work/keys" >"$work/pubsub.out" 2>"$work/pubsub.err" &
  reader=$!
  started+=("$reader")
  exec 3>"$work/keys"
  three() { [ "$(sort "$work/pubsub.out" | tr '\n' ' ')" = "number 1 number 2 number 3 " ]; }
  until_true 20 three || wrong "docs/pubsub.md: not what it was sent" "$work/pubsub.out" "$work/pubsub.err"
  echo >&3
  exec 3>&-
  ended "$reader" 20
  [ "$status" = 0 ] && [ ! -s "$work/pubsub.err" ] || wrong "docs/pubsub.md ended with $status" "$work/pubsub.err"
fi

if program firestore; then
  for ms in 5 20 30; do
    json -o /dev/null "http://$FIRESTORE_EMULATOR_HOST/v1/projects/my-project/databases/(default)/documents/results?documentId=ms$ms" \
      -d "{\"fields\":{\"ms\":{\"doubleValue\":$ms}}}"
  done
  timeout 20 "$work/firestore" >"$work/firestore.out" 2>"$work/firestore.err" || wrong "docs/firestore.md ended with $?" "$work/firestore.err"
  [ "$(sed 's|.*/||' "$work/firestore.out" | tr '\n' ' ')" = "ms30 ms20 " ] || wrong "docs/firestore.md: not the slowest first" "$work/firestore.out"
fi
exit $bad
