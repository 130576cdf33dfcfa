#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing that a program says, writes or hands to a child holds a secret that it used: private keys,
# refresh tokens, access tokens, ID tokens. Every program at the most verbose level, with each kind
# of credentials, when all goes well and when it does not.
set -u
. tests/integration/programs.sh
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
account=responder@demo-project.iam.gserviceaccount.com
pusher=pusher@demo-project.iam.gserviceaccount.com
fake_google "$account"
export PSPROBE_LOG_LEVEL=debug
stand_in
# From here on the stand-in is taken for Google: credentials are sent to it.
export PSPROBE_PUBSUB_ENDPOINT=http://$PUBSUB_EMULATOR_HOST PSPROBE_FIRESTORE_ENDPOINT=http://$FIRESTORE_EMULATOR_HOST
broker=$PUBSUB_EMULATOR_HOST
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST

# What others on this machine can see of every program of ours that runs, and of its children.
look() {
  local pid child
  for pid in "${started[@]:1}"; do
    for child in "$pid" $(cat "/proc/$pid/task/"*/children 2>/dev/null); do
      cat "/proc/$child/cmdline" "/proc/$child/environ" 2>/dev/null | tr '\0' '\n' >>"$work/seen.out"
    done
  done
}
# runs_with STATUS FILE PROGRAM ARGUMENT...: to its end, with these credentials ("": the machine's).
runs_with() {
  local want=$1 file=$2 name
  name=run$(date +%s%N)
  shift 2
  if [ -n "$file" ]; then export GOOGLE_APPLICATION_CREDENTIALS=$file; else unset GOOGLE_APPLICATION_CREDENTIALS; fi
  start "$name" "$@"
  until gone "$pid" 2>/dev/null; do look; sleep 0.05; done
  ended "$pid" 60
  [ "$status" = "$want" ] || wrong "status $status, not $want: ${file##*/} $*" "$work/$name.out" "$work/$name.err"
}
quick="--create --interval 10ms --count 3 --timeout 200ms --source alone --listen 127.0.0.1:0"

# ---- all goes well: a key, a login, the metadata server, a federation ----
cat >"$work/subject" <<EOF
#!/bin/sh
tr '\\0' '\\n' </proc/\$\$/environ >>"$work/seen.out"
tr '\\0' '\\n' </proc/\$\$/cmdline >>"$work/seen.out"
echo '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"subject-token-of-the-test-which-is-long"}'
EOF
chmod +x "$work/subject"
echo subject-token-of-the-test-which-is-long >>"$work/secrets"
cat >"$work/federated.json" <<EOF
{"type":"external_account","audience":"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
"subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"$google/token",
"credential_source":{"executable":{"command":"$work/subject","timeout_millis":5000}}}
EOF
export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
# shellcheck disable=SC2086 # options
for credentials in "$work/key.json" "$work/user.json" "" "$work/federated.json"; do
  runs_with 0 "$credentials" prober $quick --db "$work/$(basename "${credentials:-machine}").db"
done

# ---- with ID tokens between the programs ----
export GOOGLE_APPLICATION_CREDENTIALS=$work/key.json
start first prober --create --interval 1h --listen 127.0.0.1:0 --db "$work/first.db" --no-firestore
ready first 'listening on '
url=$line
{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
start subscriber subscriber --create --prober "$url" --prober-auth oidc
ready subscriber pulling
start responder responder --port 0 --listen 127.0.0.1 --prober "$url" --prober-auth oidc \
  --push-account "$pusher" --push-audience https://function.example --jwks "$google/certs"
ready responder 'listening on '
function=$line
start prober prober --interval 20ms --count 5 --timeout 10s --source regular_service --listen "${url#http://}" \
  --require-oidc "$account" --audience "$url" --jwks "$google/certs" --db "$work/guarded.db"
prober=$pid
bearer() { echo "Authorization: Bearer $(curl -s "$google/mint?email=$1&aud=$2${3-}")"; }
push() { curl -s -o /dev/null --max-time 10 -H "$1" -d "$2" "$function"; }
probe='{"message":{"attributes":{"probe_id":"00000000000000000000000000000000"},"messageId":"1"}}'
push "$(bearer "$pusher" https://function.example)" "$probe"
push "$(bearer "$pusher" https://another.example)" "$probe"
push "$(bearer "$account" https://function.example)" "$probe"
push "$(bearer "$pusher" https://function.example '&key=other')" "$probe"
push "$(bearer "$pusher" https://function.example)" "$(bearer "$pusher" x)"
curl -s -o /dev/null -X POST -H "$(bearer "$pusher" "$url")" "$url/regular_service/x"
until gone "$prober" 2>/dev/null; do look; sleep 0.05; done
ended "$prober"
[ "$(csv "$work/guarded.db" | grep -c answered)" = 5 ] || wrong "the experiment with ID tokens failed" "$work"/prober.* "$work/subscriber.err"

# ---- a token endpoint that repeats what it refuses ----
curl -s -X POST "$google/fail?tokens=400"
# shellcheck disable=SC2086
runs_with 1 "$work/user.json" prober $quick --db "$work/a.db"
runs_with 1 "$work/key.json" subscriber --prober "$url" --prober-auth oidc
# ---- an API that does ----
curl -s -X POST "$google/fail"
(
  export PSPROBE_PUBSUB_ENDPOINT=$google PSPROBE_FIRESTORE_ENDPOINT=$google
  # shellcheck disable=SC2086
  for credentials in "$work/key.json" "$work/user.json" "$work/federated.json"; do
    runs_with 1 "$credentials" prober $quick --db "$work/a.db"
  done
  runs_with 1 "$work/key.json" subscriber --create --prober "$url"
  exit $bad
) || bad=1
(
  export PSPROBE_FIRESTORE_ENDPOINT=$google # results cannot be uploaded
  # shellcheck disable=SC2086
  runs_with 0 "$work/key.json" prober $quick --db "$work/kept.db"
  exit $bad
) || bad=1
# ---- keys that are refused ----
cp "$work/key.json" "$work/open.json" && chmod 644 "$work/open.json"
head -c 1500 "$work/key.json" >"$work/cut.json"
sed 's/"private_key":"/"private_key":"x/' "$work/key.json" >"$work/broken.json"
sed 's/"client_email"/"mail"/' "$work/key.json" >"$work/nobody.json"
sed 's/"refresh_token":/"refresh_token":7,"x":/' "$work/user.json" >"$work/odd.json"
chmod 600 "$work"/{cut,broken,nobody,odd}.json
# shellcheck disable=SC2086
for credentials in open cut broken nobody odd; do
  runs_with 1 "$work/$credentials.json" prober $quick --db "$work/a.db"
done
for credentials in key user federated open cut broken; do
  GOOGLE_APPLICATION_CREDENTIALS=$work/$credentials.json timeout 60 "$bin/doctor" --project demo-project >>"$work/doctor.out" 2>>"$work/doctor.err"
done
[ "$(grep -c credentials "$work/doctor.out")" -ge 6 ] || wrong "the doctor says nothing of credentials" "$work"/doctor.*
# ---- what people look at ----
for form in --csv --json --markdown "--html $work/page.out"; do
  # shellcheck disable=SC2086
  "$bin/report" $form "$work/guarded.db" >>"$work/report.out" 2>>"$work/report.err"
done
look

# ---- nothing of it anywhere ----
sort -u "$work/secrets" >"$work/all"
for kind in ya29 eyJ 1// subject client-secret; do
  grep -q "^$kind" "$work/all" || wrong "no secret of the kind $kind was used: this test shows nothing"
done
[ "$(grep -c '^[A-Za-z0-9+/=]*$' "$work/all")" -gt 15 ] || wrong "the key's text is not among what is looked for"
grep -q 'event=token_fetched' "$work"/run*.err || wrong "the most verbose level says nothing of tokens"
[ "$(grep -c 'GCE_METADATA_HOST' "$work/seen.out")" -gt 2 ] || wrong "the environments were not seen"
# Pieces as well: both ends of each secret.
sed -n 's/^\(.\{28\}\).*\(.\{28\}\)$/\1\n\2/p' "$work/all" | sort -u >"$work/pieces"
cat "$work/all" >>"$work/pieces"
curl -s "http://$broker/v1/projects/demo-project/topics" >"$work/topics.out"
set -- "$work"/run*.err
[ $# = 16 ] || wrong "not the output of every run is there"
grep -lF -f "$work/pieces" "$work"/*.out "$work"/*.err "$work"/*.db* >"$work/found"
grep -laE 'eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}' "$work"/*.out "$work"/*.err "$work"/*.db* >>"$work/found"
while read -r file; do
  wrong "a secret in ${file##*/}: $(grep -aoF -f "$work/pieces" "$file" | head -n 3)"
done <"$work/found"
exit $bad
