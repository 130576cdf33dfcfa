#!/bin/bash
# SPDX-License-Identifier: MIT
# `make image`: two clones in folders of different names give the same bytes; skopeo and umoci read the archive; and
# in a chroot with nothing else in it, without root's rights, prober and responder run an experiment, the responder
# looks a name up, and meets a TLS server with the image's own certificates.
set -u
for tool in skopeo umoci openssl; do
  command -v $tool >/dev/null || { echo "SKIPPED: there is no $tool (Debian: apt-get install $tool)"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "SKIPPED: only root may chroot"; exit 77; }
. tests/integration/programs.sh

# The tree as it stands, changes included, under one commit.
make_in() { # FOLDER
  git clone -q . "$1" && git ls-files -coz --exclude-standard | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || install -D -m "$([ -x "$file" ] && echo 755 || echo 644)" "$file" "$1/$file"
  done
  (cd "$1" && env -u MAKEFLAGS -u BUILD make -s -j2 CC="${CC:-cc}" IMAGE_PROGRAMS="prober responder" image) >"$work/make.log" 2>&1 ||
    { wrong "no image" "$work/make.log"; exit 1; }
}
make_in "$work/one"
make_in "$work/another folder"
archive=$work/one/build/psprobe.oci.tar
cmp "$archive" "$work/another folder/build/psprobe.oci.tar" || wrong "the same sources give other bytes elsewhere"

skopeo inspect "oci-archive:$archive" >"$work/inspect" 2>&1 || wrong "skopeo inspect" "$work/inspect"
skopeo inspect --config "oci-archive:$archive" >"$work/config" 2>&1 || wrong "skopeo inspect --config" "$work/config"
for said in '"User": "65534:65534"' '"8080/tcp"' '/usr/local/bin/psprobe-responder' '"org.opencontainers.image.licenses": "MIT"'; do
  grep -q -- "$said" "$work/config" || wrong "the image's config does not say $said" "$work/config"
done
skopeo copy -q "oci-archive:$archive" "oci:$work/layout:psprobe" 2>"$work/copy" || wrong "skopeo copy" "$work/copy"
umoci unpack --image "$work/layout:psprobe" "$work/bundle" >"$work/unpack" 2>&1 || wrong "umoci unpack" "$work/unpack"
root=$work/bundle/rootfs
[ -x "$root/usr/local/bin/psprobe-responder" ] || { wrong "there is no responder in it"; exit 1; }
layer=$(find "$work/layout/blobs" -type f -printf '%s\n' | sort -n | tail -n 1)
echo "prober and responder: $layer bytes compressed"
[ "$layer" -le 12000000 ] || wrong "the image has $layer bytes compressed, more than 12 MB"
# Programs, libraries, certificates, four files for getaddrinfo: nothing that nobody asked for.
foreign=$(cd "$root" && find . -type f ! -path './usr/local/bin/psprobe-*' ! -name '*.so*' ! -path ./etc/ssl/certs/ca-certificates.crt \
  ! -path ./etc/passwd ! -path ./etc/group ! -path ./etc/nsswitch.conf)
[ -z "$foreign" ] || wrong "in the image for no reason: $foreign"

# As the container's runtime does it: a name in /etc/hosts, another user, a folder to work in, no environment.
echo '127.0.0.1 prober.test' >"$root/etc/hosts"
chmod 711 "$work" "$work/bundle"
inside() { # NAME PROGRAM ARGUMENT...
  local name=$1 program=$2
  shift 2
  : >"$work/$name.out"
  env -i PATH="$PATH" PUBSUB_EMULATOR_HOST="${PUBSUB_EMULATOR_HOST:-}" GOOGLE_CLOUD_PROJECT=demo-project chroot --userspec=65534:65534 "$root" \
    "/usr/local/bin/psprobe-$program" "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  started+=("$pid")
}
stand_in 0 0
json -X PUT "$(pubsub topics/probes)" -d '{}' >/dev/null
json -X PUT "$(pubsub subscriptions/pushed)" -d '{"topic":"projects/demo-project/topics/probes"}' >/dev/null
inside prober prober --interval 50ms --count 3 --timeout 20s --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
  --no-firestore --db /tmp/results.db --source cloud_function
prober=$pid
ready prober 'listening on '
inside responder responder --port 0 --listen 127.0.0.1 --prober "http://prober.test:${line##*:}"
ready responder 'listening on '
function=$line
json "$(pubsub subscriptions/pushed:modifyPushConfig)" -d "{\"pushConfig\":{\"pushEndpoint\":\"$function/\"}}" >/dev/null
ended "$prober" 60
answers=$(csv "$root/tmp/results.db" | grep -c answered)
[ "$status $answers" = "0 3" ] || wrong "exit status $status and $answers answers of 3" "$work"/prober.* "$work"/responder.*

# It trusts the image's certificates, so not this one, and its log says why.
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=prober.test -days 2 -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
openssl s_server -accept 127.0.0.1:0 -key "$work/tls.key" -cert "$work/tls.crt" -www >"$work/tls.out" 2>&1 &
started+=("$!")
ready tls 'ACCEPT '
inside private responder --port 0 --listen 127.0.0.1 --prober "https://prober.test:${line##*:}"
ready private 'listening on '
json --max-time 30 -o "$work/said" "$line/" -d '{"message":{"attributes":{"probe_id":"0123456789abcdef0123456789abcdef"}}}'
grep -q 'self.signed certificate' "$work/private.err" || wrong "no certificate was looked at" "$work/said" "$work/private.err"
exit $bad
