#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that go on while the shell does something else: the stand-in by eval, as the README has
# it, and a prober under nohup.
set -u
. tests/integration/programs.sh
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST PSPROBE_LOCAL_PID

# ---- eval "$(psprobe-local &)", in the shells that people have; each shell is gone afterwards ----
answers() { [ "$(json -o /dev/null -w '%{http_code}' "$@")" = 200 ]; }
for shell in sh bash; do
  # The pid is set, not exported: it is this shell's own.
  # shellcheck disable=SC2016
  timeout 20 "$shell" -c 'eval "$("$0" --pubsub-port 0 --firestore-port 0 &)"; env; echo pid=$PSPROBE_LOCAL_PID' \
    "$bin/local" >"$work/env" 2>"$work/err" || wrong "$shell: it fails, or waits" "$work/env" "$work/err"
  value() { sed -n "s|^$1=||p" "$work/env"; }
  pid=$(value pid)
  [ "${pid:-0}" -gt 1 ] || { wrong "$shell: no pid" "$work/env" "$work/err"; exit 1; }
  PUBSUB_EMULATOR_HOST=$(value PUBSUB_EMULATOR_HOST)
  FIRESTORE_EMULATOR_HOST=$(value FIRESTORE_EMULATOR_HOST)
  for host in "$PUBSUB_EMULATOR_HOST" "$FIRESTORE_EMULATOR_HOST"; do
    [[ $host =~ ^127\.0\.0\.1:[0-9]+$ ]] || wrong "$shell: '$host' is not where it is" "$work/env"
  done
  # It is no child of ours: asked by its name, which no other process will have.
  lives() { [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$bin/local")" ] && kill -0 "$pid"; }
  dead() { ! lives; }
  lives || wrong "$shell: the stand-in went with the shell" "$work/err"
  answers -X PUT "$(pubsub topics/probes)" -d '{}' || wrong "$shell: no broker is there"
  answers "$(documents pubsub_results)" || wrong "$shell: no documents are there"
  kill -TERM "$pid"
  until_true 15 dead || { wrong "$shell: it does not end"; lives && kill -KILL "$pid"; }
  answers "$(documents pubsub_results)" && wrong "$shell: something answers still"
  [ -s "$work/err" ] && wrong "$shell: it did not end cleanly" "$work/err"
done
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST

# ---- a prober lives through its terminal's end under nohup, and not without ----
stand_in
probe() {
  "$@" "$bin/prober" --create --interval 10ms --timeout 50ms --source alone --no-firestore \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$work/$1.db" >"$work/$1.out" 2>"$work/$1.err" </dev/null &
  pid=$!
  started+=("$pid")
  ready "$1" 'listening on '
}
rows() { csv "$work/nohup.db" | wc -l; }
more() { [ "$(rows)" -gt "$1" ]; }
probe nohup
kill -HUP "$pid"
until_true 20 more "$(($(rows) + 20))" || wrong "a hang-up stops a prober under nohup" "$work/nohup.out" "$work/nohup.err"
kill -TERM "$pid"
ended "$pid"
[ "$status" = 0 ] || wrong "the prober ended with $status" "$work/nohup.out" "$work/nohup.err"
probe env
kill -HUP "$pid"
ended "$pid"
[ "$status" = 0 ] && grep -q '^alone' "$work/env.out" || wrong "a hang-up: status $status, or no table" "$work/env.out" "$work/env.err"
exit $bad
