#!/bin/bash
# SPDX-License-Identifier: MIT
# The doctor against nothing, our stand-in, Google's emulators, and a Google of the tests' own with a
# good, an open and a committed key. The commands that it says mend things are run, and do.
set -u
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
command -v openssl >/dev/null || { echo "SKIPPED: there is no openssl (Debian: apt-get install openssl)"; exit 77; }
# shellcheck source=tests/integration/programs.sh
. tests/integration/programs.sh
tools=$PWD/${BUILD:-build}/tests/tools
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST CLOUDSDK_CONFIG
export HOME=$work/home METADATA_SERVER_DETECTION=none
mkdir -p "$HOME"

# doctor STATUS ARGUMENT...: must end with that status.
doctor() {
  local want=$1
  shift
  status=0
  timeout 100 "$bin/doctor" "$@" >"$work/doctor.out" 2>"$work/doctor.err" || status=$?
  cat "$work"/doctor.* >>"$work/everything"
  [ "$status" = "$want" ] || wrong "doctor $*: exit status $status, not $want" "$work"/doctor.*
}
# says TEXT...: the last one's output has each.
says() {
  for text; do grep -qF -- "$text" "$work/doctor.out" || wrong "doctor does not say: $text" "$work"/doctor.*; done
}
# mend: runs the commands behind "mend:".
mend() {
  sed -n 's/^         \(mend:\|     \) //p' "$work/doctor.out" >"$work/mend.sh"
  [ -s "$work/mend.sh" ] || wrong "there is nothing that mends it" "$work/doctor.out"
  bash -eu "$work/mend.sh" >"$work/mend.out" 2>&1 || wrong "what mends it fails" "$work"/mend.*
}
to_google() { export PSPROBE_PUBSUB_ENDPOINT=$1 PSPROBE_FIRESTORE_ENDPOINT=$1 PSPROBE_RESOURCE_MANAGER=$1; }

# ---- against nothing ----
to_google http://127.0.0.1:1
start_s=$SECONDS
doctor 1
[ $((SECONDS - start_s)) -lt 60 ] || wrong "it took $((SECONDS - start_s)) s to see that nothing is there"
says "skipped  credentials.lookup    GOOGLE_APPLICATION_CREDENTIALS: not set" \
  "mend: gcloud auth application-default login" \
  "failed   pubsub.reach" "mend: curl -sSv -o /dev/null http://127.0.0.1:1/" \
  "skipped  topic" "0 warnings"
grep -q $'\033' "$work/doctor.out" && wrong "colour in a file" "$work/doctor.out"
doctor 2 --topic 1abc
GOOGLE_APPLICATION_CREDENTIALS=$work/nowhere.json doctor 1
says "nowhere.json" "mend: unset GOOGLE_APPLICATION_CREDENTIALS"
unset PSPROBE_PUBSUB_ENDPOINT PSPROBE_FIRESTORE_ENDPOINT PSPROBE_RESOURCE_MANAGER

# ---- the stand-in and Google's emulators: nothing there yet, then what mends that ----
on_emulators() {
  local names="--topic $1 --subscription $1-pull --push-subscription $1-push"
  # shellcheck disable=SC2086 # words
  doctor 1 $names
  says "emulators get no credentials" "ok       pubsub.api" "failed   topic " "skipped  topic.publish" \
    "ok       firestore.database" "skipped  firestore.create"
  mend
  # shellcheck disable=SC2086
  doctor 0 $names
  says "topics/$1 is there" "$1-pull is there, to be pulled" "$1-push is there, pushes to" " 0 failed"
  # shellcheck disable=SC2086
  doctor 1 --topic "$1" --subscription "$1-push" --push-subscription "$1-pull"
  says "who pulls it gets nothing" "nothing calls the function"
}
stand_in
on_emulators doctor-probes
# With a prober: from here it answers; that it is on loopback does not matter to emulators.
start prober prober --topic doctor-probes --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$work/p.db" \
  --timeout 1s --no-firestore
ready prober 'listening on '
doctor 0 --topic doctor-probes --subscription doctor-probes-pull --push-subscription doctor-probes-push --prober "$line"
says "ok       prober                $line answers from here"
kill -INT "$pid"
ended "$pid"
doctor 1 --prober "$line" --no-firestore
says "failed   prober" "mend: psprobe-prober --listen 127.0.0.1:"
doctor 1 --prober "http://$PUBSUB_EMULATOR_HOST"
says "which is not a prober's answer"
if [ -n "${PSPROBE_TEST_PUBSUB_EMULATOR:-}" ] && [ -n "${PSPROBE_TEST_FIRESTORE_EMULATOR:-}" ]; then
  export PUBSUB_EMULATOR_HOST=$PSPROBE_TEST_PUBSUB_EMULATOR FIRESTORE_EMULATOR_HOST=$PSPROBE_TEST_FIRESTORE_EMULATOR
  on_emulators "doctor-probes-$$"
else
  echo "NOT SHOWN: Google's emulators (they were not at hand)"
fi
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST

# ---- keys ----
mkfifo "$work/hold"
exec 9<>"$work/hold"
"$tools/fake_cloud" <"$work/hold" >"$work/google.out" 2>&1 &
started+=("$!")
until_true 15 grep -q http "$work/google.out" || { wrong "no Google" "$work/google.out"; exit 1; }
google=$(cat "$work/google.out")
to_google "$google"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/rsa.pem" 2>/dev/null
mkdir "$work/keys"
key=$work/keys/key.json
jq -n --rawfile pem "$work/rsa.pem" --arg token "$google/token" '{type: "service_account", project_id: "demo-project",
  private_key_id: "0123456789abcdef0123456789abcdef01234567", private_key: $pem, token_uri: $token,
  client_email: "prober@demo-project.iam.gserviceaccount.com"}' >"$key"
export GOOGLE_APPLICATION_CREDENTIALS=$key

chmod 644 "$key"
doctor 1
says "failed   credentials.key       $key is open to other users (mode 0644)" "mend: chmod 600 $key" \
  "skipped  credentials.token     a key that could leak is not used"
mend
doctor 0 --log-level debug
says "ok       credentials.key" "ok       credentials.token     a token is there" "ok       clock" \
  "ok       credentials.identity  prober@demo-project.iam.gserviceaccount.com" "ok       topic.publish" \
  "ok       subscription.consume" "ok       firestore.create" " 0 failed"

doctor 0 --json
jq -e '.schema == 1 and .project == "demo-project" and .counts.failed == 0 and (.findings | length) == ([.counts[]] | add) and
  (.findings | all((.check | type) == "string" and (.state | IN("ok", "warning", "failed", "skipped")) and
    (.text | length) > 0 and (.mend | type) == "array" and has("resource"))) and
  (.findings | any(.check == "topic.publish" and .state == "ok"))' "$work/doctor.out" >/dev/null || wrong "--json" "$work/doctor.out"

# Not ignored, then about to be committed, then committed: from there on only a new key helps.
git() { command git -C "$work/keys" -c user.name=x -c user.email=x@example.com -c init.defaultBranch=main "$@" >/dev/null; }
git init -q .
doctor 1
says "where git does not ignore it" "mend: mv $key \"\$HOME\"/key.json"
git add key.json
doctor 1
says "the next commit would have it" "rm --cached $key"
git commit -q -m "a mistake"
doctor 1
says "failed   credentials.key       $key is in a commit of the git work tree $work/keys" \
  "mend: gcloud iam service-accounts keys delete 0123456789abcdef0123456789abcdef01234567 --iam-account=prober@demo-project.iam.gserviceaccount.com" \
  "git -C $work/keys rm --cached $key" \
  "gcloud auth application-default login --impersonate-service-account=prober@demo-project.iam.gserviceaccount.com"
doctor 1 --json
jq -e '.findings[] | select(.check == "credentials.key") | .state == "failed" and (.mend | length) == 5' "$work/doctor.out" >/dev/null ||
  wrong "--json of a committed key" "$work/doctor.out"
doctor 0 --allow-unsafe-key
says "warning  credentials.key" "ok       credentials.token"
# To take it out of git and to ignore it makes it no secret again.
git rm -q --cached key.json
echo key.json >"$work/keys/.gitignore"
git commit -q -a -m "too late"
doctor 0
says "warning  credentials.key" "no deletion there takes it back"

# gcloud's own file in a repository of dot files: it cannot move, so git learns to leave it alone.
unset GOOGLE_APPLICATION_CREDENTIALS
mkdir -p "$work/dots/.config/gcloud"
export CLOUDSDK_CONFIG=$work/dots/.config/gcloud
cp -p "$key" "$CLOUDSDK_CONFIG/application_default_credentials.json"
command git init -q "$work/dots" 2>/dev/null
doctor 1
says "where git does not ignore it" "mend: echo /.config/gcloud/application_default_credentials.json >>$work/dots/.gitignore"
mend
doctor 0
says "skipped  credentials.lookup    GOOGLE_APPLICATION_CREDENTIALS: not set" "ok       credentials.key"

# No secret was in any of that: neither the key, line by line, nor a token.
grep -v -- ----- "$work/rsa.pem" >"$work/secrets"
echo ya29.fake-secret-token >>"$work/secrets"
if grep -qF -f "$work/secrets" "$work/everything"; then wrong "a secret was shown"; fi
exit $bad
