#!/bin/bash
# SPDX-License-Identifier: MIT
# Each option's environment variable does what the option does, and the option wins over it.
set -u
. tests/integration/programs.sh
for name in $(compgen -e PSPROBE_); do # what the tests' own caller has set
  case $name in PSPROBE_TEST_* | PSPROBE_NO_SKIP) ;; *) unset "$name" ;; esac
done

# ---- every variable that the man pages name: a bad value is told by the variable's name, and nobody
# ---- looks at it where the option is given
# What a value of that kind may not be, and what it may.
values() {
  case $1 in
    TIME) bad_value='5 parsecs' good_value=2h ;;
    N | PORT) bad_value=many good_value=3 ;;
    URL) bad_value=gopher://x good_value=http://127.0.0.1:9 ;;
    ID) bad_value=Upper good_value=demo-project ;;
    NAME) bad_value=a//b good_value=pieces ;;
    '') bad_value=perhaps good_value= ;;
    *) bad_value= good_value= ;; # any text
  esac
}
checked=0
for program in prober subscriber responder local report demo; do
  # "option METAVAR VARIABLE" a line; the log level's is looked at last.
  while read -r option metavar variable; do
    [ "$metavar" = - ] && metavar=
    values "$metavar"
    [ -n "$bad_value" ] || continue
    case $program/$option in report/run | report/source | responder/push-audience) continue ;; esac # any text
    operand=$([ $program = report ] && echo x)
    status=0
    # shellcheck disable=SC2086 # none or one
    env "$variable=$bad_value" PSPROBE_LOG_LEVEL=nonsense timeout 20 "$bin/$program" $operand >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = 2 ] && grep -q "^psprobe-$program: $variable: " "$work/err" ||
      wrong "$program: $variable='$bad_value': status $status, or not told" "$work/out" "$work/err"
    status=0
    # shellcheck disable=SC2086
    env "$variable=$bad_value" PSPROBE_LOG_LEVEL=nonsense timeout 20 "$bin/$program" "--$option" \
      ${good_value:+"$good_value"} $operand >"$work/out" 2>"$work/err" || status=$?
    [ "$status" = 2 ] && grep -q "^psprobe-$program: PSPROBE_LOG_LEVEL: " "$work/err" ||
      wrong "$program: --$option does not win over $variable" "$work/out" "$work/err"
    checked=$((checked + 1))
  done < <("$bin/$program" --man | sed 's/\\fI//; s/\\fR//; s/\\-/-/g' |
    awk '/^\.B --/ {option = substr($2, 3); metavar = $3 == "" ? "-" : $3}
         /^Environment: / {variable = $2; gsub(/[.,]/, "", variable); print option, metavar, variable}')
done
[ "$checked" -ge 40 ] || wrong "only $checked variables were looked at"

# ---- the prober, by its environment alone ----
stand_in
prober_env=(PSPROBE_PROJECT=env-project PSPROBE_TOPIC=env-topic PSPROBE_INTERVAL=7ms PSPROBE_COUNT=3
  PSPROBE_TIMEOUT=70ms PSPROBE_LISTEN=127.0.0.1:0 PSPROBE_ADMIN_LISTEN=127.0.0.1:0 PSPROBE_SOURCE=one,two
  PSPROBE_DB="$work/env.db" PSPROBE_COLLECTION=env_results PSPROBE_CREATE=true GOOGLE_CLOUD_PROJECT=not-this)
env "${prober_env[@]}" timeout 60 "$bin/prober" >"$work/out" 2>"$work/err" || wrong "the prober by its environment" "$work/err"
# run_is FILE PROJECT TOPIC INTERVAL TIMEOUT PROBES COLLECTION DOCUMENTS
run_is() {
  "$bin/report" --json "$1" | tr -d ' \n' >"$work/json"
  for figure in "\"project\":\"$2\"" "\"topic\":\"$3\"" "\"interval_ns\":$4" "\"timeout_ns\":$5" "\"sent\":$6,"; do
    grep -qF "$figure" "$work/json" || wrong "${1##*/}: no $figure" "$work/json"
  done
  [ "$(curl -s "$(documents "$7" | sed "s/demo-project/$2/")" | grep -c '"name"')" = "$8" ] ||
    wrong "${1##*/}: not $8 documents in $7 of $2"
}
run_is "$work/env.db" env-project env-topic 7000000 70000000 3 env_results 3
grep -q '^one ' "$work/out" && grep -q '^two ' "$work/out" || wrong "not the two sources" "$work/out"

# ---- and with options over it ----
env "${prober_env[@]}" timeout 60 "$bin/prober" --project opt-project --topic opt-topic --interval 9ms --count 2 \
  --timeout 90ms --source three --db "$work/opt.db" --collection opt_results >"$work/out" 2>"$work/err" ||
  wrong "the prober with options" "$work/err"
run_is "$work/opt.db" opt-project opt-topic 9000000 90000000 2 opt_results 2
grep -q '^three ' "$work/out" || wrong "not the source of the option" "$work/out"
grep -q '^one ' "$work/out" && wrong "the source of the environment too" "$work/out"
env "${prober_env[@]}" PSPROBE_NO_FIRESTORE=1 PSPROBE_DB="$work/none.db" PSPROBE_COLLECTION=none timeout 60 \
  "$bin/prober" >"$work/out" 2>"$work/err" || wrong "PSPROBE_NO_FIRESTORE" "$work/err"
run_is "$work/none.db" env-project env-topic 7000000 70000000 3 none 0

# ---- report: of its own, where the prober's means something else ----
PSPROBE_SOURCE=elsewhere PSPROBE_CSV=1 "$bin/report" "$work/env.db" >"$work/out" 2>"$work/err" ||
  wrong "the prober's PSPROBE_SOURCE disturbs the report" "$work/err"
[ "$(wc -l <"$work/out")" = 4 ] || wrong "PSPROBE_CSV" "$work/out"
PSPROBE_REPORT_SOURCE=two "$bin/report" "$work/env.db" >"$work/out" || wrong "PSPROBE_REPORT_SOURCE"
grep -q '^two ' "$work/out" && ! grep -q '^one ' "$work/out" || wrong "PSPROBE_REPORT_SOURCE" "$work/out"
PSPROBE_REPORT_SOURCE=two "$bin/report" --source one "$work/env.db" >"$work/out" || wrong "--source"
grep -q '^one ' "$work/out" && ! grep -q '^two ' "$work/out" || wrong "--source over PSPROBE_REPORT_SOURCE" "$work/out"
PSPROBE_RUN=0123456789 "$bin/report" "$work/env.db" >"$work/out" 2>"$work/err" && wrong "PSPROBE_RUN" "$work/out"
PSPROBE_RUN=0123456789 "$bin/report" --run last "$work/env.db" >"$work/out" 2>"$work/err" || wrong "--run" "$work/err"

# ---- local ----
export PSPROBE_PUBSUB_PORT=0 PSPROBE_FIRESTORE_PORT=0 PSPROBE_DB=$work/kept.db
start by_env local
ready by_env PUBSUB_EMULATOR_HOST=
[ -e "$work/kept.db" ] || wrong "no documents at PSPROBE_DB" "$work/by_env.err"
kill -TERM "$pid"
ended "$pid"
PSPROBE_PUBSUB_PORT=65535 PSPROBE_DB=/nowhere/x.db start by_option local --pubsub-port 0 --db "$work/other.db"
ready by_option PUBSUB_EMULATOR_HOST=
[ -e "$work/other.db" ] || wrong "no documents at --db" "$work/by_option.err"
kill -TERM "$pid"
ended "$pid"
unset PSPROBE_PUBSUB_PORT PSPROBE_FIRESTORE_PORT PSPROBE_DB

# ---- subscriber and responder ----
first_line() { "${@:2}" >"$work/line" 2>"$work/err" & pid=$!; started+=("$pid"); until_true 15 grep -qF "$1" "$work/line" ||
  wrong "not '$1'" "$work/line" "$work/err"; kill -TERM "$pid"; ended "$pid"; }
there() { curl -sf --max-time 10 "$(pubsub "$1" | sed "s/demo-project/$2/")" >"$work/out"; }
subscriber_env=(PSPROBE_PROJECT=env-project PSPROBE_SUBSCRIPTION=env-jobs PSPROBE_TOPIC=env-jobs-topic
  PSPROBE_CREATE=1 PSPROBE_PROBER=http://127.0.0.1:9)
first_line 'pulling env-jobs, answering at http://127.0.0.1:9' env "${subscriber_env[@]}" "$bin/subscriber"
there subscriptions/env-jobs env-project && grep -q topics/env-jobs-topic "$work/out" || wrong "not made by its environment"
first_line 'pulling opt-jobs, answering at http://127.0.0.1:8' env "${subscriber_env[@]}" "$bin/subscriber" \
  --project opt-project --subscription opt-jobs --topic opt-jobs-topic --prober http://127.0.0.1:8
there subscriptions/opt-jobs opt-project && grep -q topics/opt-jobs-topic "$work/out" || wrong "not made by its options"
there subscriptions/opt-jobs env-project && wrong "made by its environment, not its options"
first_line 'listening on http://127.0.0.1:' env PORT=1 PSPROBE_PORT=0 PSPROBE_LISTEN=127.0.0.1 "$bin/responder"
first_line 'listening on http://127.0.0.2:' env PSPROBE_PORT=1 PSPROBE_LISTEN=127.0.0.1 "$bin/responder" --port 0 --listen 127.0.0.2
first_line 'listening on http://127.0.0.1:' env PORT=0 "$bin/responder" --listen 127.0.0.1
# One meaning for prober and responder.
first_line 'listening on http://127.0.0.1:' env PSPROBE_LISTEN=127.0.0.1:0 "$bin/responder"
first_line 'listening on http://[::]:' env PSPROBE_LISTEN=0 "$bin/responder"
first_line 'listening on http://[::1]:' env PSPROBE_LISTEN=[::1]:0 "$bin/responder"
first_line 'listening on http://127.0.0.1:' env PSPROBE_LISTEN=0 "$bin/prober" --no-firestore --create --project test \
  --db "$work/listen.db" --admin-listen 127.0.0.1:0
exit $bad
