#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes an OCI image as a tar archive: programs, the libraries that they load, what a name look-up and TLS read,
# and nothing else. One layer; which program runs is the container's command, the responder unless it says so.
# The same inputs give the same bytes: times are the commit's, names sorted, owners numbers, gzip without a name.
# usage: deploy/image.sh ARCHIVE PROGRAM...     PROGRAM: built, dynamically linked; installed as psprobe-<its name>
# environment: SOURCE_DATE_EPOCH (the commit's time); CERTIFICATES, a folder of .crt files (the distribution's)
set -eu
umask 022
export LC_ALL=C
fail() { echo "image: $*" >&2; exit 1; }
[ $# -ge 2 ] || fail "usage: deploy/image.sh ARCHIVE PROGRAM..."
archive=$1
shift
certificates=${CERTIFICATES:-/usr/share/ca-certificates/mozilla}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
version=$(sed -n 's/^#define PSPROBE_VERSION  *"\(.*\)"/\1/p' include/psprobe/version.h)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) fail "knows no OCI name of the architecture $(uname -m)" ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root layout=$work/layout
mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/tmp" "$layout/blobs/sha256"

# Where the machine's /lib is a link into /usr, the image's is too, and files lie where they really are.
for folder in /lib /lib64; do
  [ ! -L "$folder" ] || ln -s "usr$folder" "$root$folder"
done
place() { # a library, by the name by which it is asked for
  folder=$(readlink -f "$(dirname "$1")")
  install -D -m 755 "$1" "$root$folder/$(basename "$1")"
}
for program; do
  into=$root/usr/local/bin/psprobe-$(basename "$program")
  strip -R .note.gnu.build-id -R .comment -o "$into" "$program" || fail "cannot strip $program"
  chmod 755 "$into"
  needed=$(ldd "$program") || fail "$program loads no libraries that could be found"
  case $needed in *'not found'*) fail "$program needs a library that is not here: $needed" ;; esac
  echo "$needed" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}'
done | sort -u >"$work/libraries"
while read -r library; do place "$library"; done <"$work/libraries"

# getaddrinfo: "files" and "dns" are in libc itself since glibc 2.34.
libc=$(sed -n '/\/libc\.so\.6$/p' "$work/libraries")
strings=$(grep -ac 'GLIBC_2\.34' "$libc" || true)
[ "$strings" -gt 0 ] || fail "glibc is older than 2.34, and would load libnss_dns when it runs"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
echo 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'nogroup:x:65534:' >"$root/etc/group"
# The distribution's own, not what this machine trusts besides.
cat "$certificates"/*.crt >"$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null ||
  fail "there are no certificates in $certificates (Debian: apt-get install ca-certificates)"
chmod 1777 "$root/tmp"

packed() { # FOLDER: as a tar archive
  (cd "$1" && tar --create --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -- *)
}
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
blob() { # FILE: into the layout, its digest in $sum and its length in $size
  sum=$(digest "$1") size=$(wc -c <"$1")
  mv "$1" "$layout/blobs/sha256/$sum"
}
packed "$root" >"$work/layer"
layer=$(digest "$work/layer")
gzip -9 -n "$work/layer"
blob "$work/layer.gz"
compressed=$size
layers="[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$sum\",\"size\":$size}]"

cat >"$work/config" <<JSON
{"created":"$created","architecture":"$architecture","os":"linux","config":{
"User":"65534:65534","ExposedPorts":{"8080/tcp":{}},"WorkingDir":"/tmp",
"Env":["PATH=/usr/local/bin"],"Entrypoint":["/usr/local/bin/psprobe-responder"],
"Labels":{"org.opencontainers.image.title":"psprobe","org.opencontainers.image.version":"$version",
"org.opencontainers.image.revision":"$revision","org.opencontainers.image.created":"$created",
"org.opencontainers.image.licenses":"MIT",
"org.opencontainers.image.description":"Which answers a Pub/Sub message faster: a cloud function or a running service?"}},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},
"history":[{"created":"$created","created_by":"deploy/image.sh"}]}
JSON
blob "$work/config"
config="{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$sum\",\"size\":$size}"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":%s}' \
  "$config" "$layers" >"$work/manifest"
blob "$work/manifest"
cat >"$layout/index.json" <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$sum","size":$size,
"platform":{"architecture":"$architecture","os":"linux"},
"annotations":{"org.opencontainers.image.ref.name":"$version"}}]}
JSON
printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
mkdir -p "$(dirname "$archive")"
packed "$layout" >"$work/archive"
mv "$work/archive" "$archive"
awk -v bytes="$compressed" -v programs=$# -v libraries="$(wc -l <"$work/libraries")" -v archive="$archive" -v sum="$sum" 'BEGIN {
  printf "%s: %d programs, %d libraries, %.1f MB compressed, sha256:%s\n", archive, programs, libraries, bytes / 1e6, sum }'
