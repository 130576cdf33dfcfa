#!/bin/bash
# SPDX-License-Identifier: MIT
# docs/deploy.md, typed: its commands run in order against a project of our own, and print what it says.
# Blocks "sh" must succeed; in blocks "console" what a command prints is compared, figures of the doctor aside.
#     test_deploy.sh --write      puts what the commands print into the page
set -u
command -v jq >/dev/null || { echo "SKIPPED: there is no jq (Debian: apt-get install jq)"; exit 77; }
# shellcheck source=tests/integration/programs.sh
. tests/integration/programs.sh
tools=$PWD/${BUILD:-build}/tests/tools
unset PUBSUB_EMULATOR_HOST FIRESTORE_EMULATOR_HOST CLOUDSDK_CONFIG GOOGLE_CLOUD_PROJECT
export HOME=$work METADATA_SERVER_DETECTION=none

# Our programs under their installed names, and others' that only say that they were called.
mkdir "$work/path"
for program in setup report; do ln -s "$bin/$program" "$work/path/psprobe-$program"; done
for other in make skopeo gcloud; do
  printf '#!/bin/sh\necho "%s $*" >>"%s/called"\n[ "$2" != print-access-token ] || echo ya29.fake\n' "$other" "$work" >"$work/path/$other"
  chmod +x "$work/path/$other"
done
mkfifo "$work/hold"
exec 9<>"$work/hold"
"$tools/fake_admin" "$work" run.googleapis.com <"$work/hold" >"$work/url" 9>&- &
started+=("$!")
until_true 15 grep -q http "$work/url" || { wrong "no Google"; exit 1; }
url=$(cat "$work/url")

# The page as a script, run where it may write; what it exports stays.
awk -v work="$work" '
  /^```(sh|console)$/ { kind = substr($0, 4); next }
  /^```$/ && kind != "" { if (kind == "console") print "compare " n; kind = ""; next }
  kind == "sh" { print "{ " $0 "\n} >>\"$work/other.out\" 2>&1 || lost line " NR }
  kind == "console" && /^\$ / {
    n++
    print "{ " substr($0, 3) "\n} >\"$work/is." n "\" 2>\"$work/err." n "\" || [ $? = 1 ] || lost line " NR
    was = work "/was." n
    printf "" >was
    next
  }
  kind == "console" { print >was }' docs/deploy.md >"$work/page.sh"
page=$PWD/docs/deploy.md
ln -s "$PWD/deploy" "$work/deploy"
lost() { wrong "failed: $*" "$work"/err.* "$work/other.out"; }
same() { sed -E 's/: [0-9]+ ok, [0-9]+ warnings/: N ok, N warnings/' "$1"; }
compare() {
  if [ "${write:-}" = 1 ]; then return; fi
  diff <(same "$work/was.$1") <(same "$work/is.$1") >"$work/diff" || wrong "block $1 prints something else" "$work/diff" "$work/err.$1"
}
[ "${1:-}" != --write ] || write=1
export PSPROBE_PUBSUB_ENDPOINT=$url PSPROBE_FIRESTORE_ENDPOINT=$url PSPROBE_ADMIN_ENDPOINT=$url \
  GOOGLE_APPLICATION_CREDENTIALS=$work/key.json PATH=$work/path:$PATH work
cd "$work" || exit 1
# shellcheck source=/dev/null
. "$work/page.sh" </dev/null

[ -s "$work/report.html" ] || wrong "no report"
grep -q 'cloud_function' "$work/other.out" || wrong "the report names no source" "$work/other.out"
for part in 'make image' 'skopeo copy oci-archive:build/psprobe.oci.tar docker://europe-west1-docker.pkg.dev/' 'gcloud run services logs tail probes-prober'; do
  grep -qF "$part" "$work/called" || wrong "was not called: $part" "$work/called"
done
# What the containers would run is what our programs take (2: wrong usage).
exec 9>&-
until_true 15 test -s "$work/requests" || wrong "no requests were recorded"
jq -r 'select(.method == "POST") | .body.template.containers[0]? // empty | [.command[0]] + .args | @tsv' "$work/requests" |
  sort -u >"$work/containers"
[ "$(wc -l <"$work/containers")" = 3 ] || wrong "not three containers" "$work/containers"
while IFS=$'\t' read -r -a words; do
  status=0
  timeout 2 "$bin/${words[0]#/usr/local/bin/psprobe-}" "${words[@]:1}" >"$work/container" 2>&1 </dev/null || status=$?
  case $status in 0 | 1 | 124) ;; *) wrong "status $status of ${words[*]}" "$work/container" ;; esac
done <"$work/containers"

if [ "${write:-}" = 1 ]; then
  awk -v work="$work" '
    /^```console$/ { print; getline; print; n++; while ((getline line <(work "/is." n)) > 0) print line; skip = 1; next }
    skip && /^```$/ { skip = 0 }
    !skip' "$page" >"$work/new" && cp "$work/new" "$page"
fi
[ "$bad" = 0 ] && echo "docs/deploy.md: as it says"
exit "$bad"
