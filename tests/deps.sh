#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building needs and that are missing, with `check` what the tests'
# scripts need too (not what is large: without a browser or node a test says that it is skipped), with
# `bench` what the benchmarks' peers need.
# usage: tests/deps.sh [check|bench]
set -eu
wanted="
gcc:gcc
make:make
pkg-config:pkg-config
"
[ "${1:-}" = check ] && wanted="$wanted
curl:curl
git:git
jq:jq
openssl:openssl
pmccabe:pmccabe
skopeo:skopeo
strace:strace
umoci:umoci
"
[ "${1:-}" = bench ] && wanted="$wanted
wrk:wrk
go:golang-go
node:nodejs
npm:npm
"
libraries="
libcurl:libcurl4-openssl-dev
libcjson:libcjson-dev
libjwt:libjwt-dev
libcrypto:libssl-dev
libmicrohttpd:libmicrohttpd-dev
libnghttp2:libnghttp2-dev
sqlite3:libsqlite3-dev
zlib:zlib1g-dev
libprotobuf-c:libprotobuf-c-dev
cmocka:libcmocka-dev
"
missing=""
for pair in $wanted; do
  # CC may hold more than one word ("ccache gcc"): the compiler's presence is what counts.
  # shellcheck disable=SC2086
  [ "${pair%%:*}" = gcc ] && ${CC:-cc} --version >/dev/null 2>&1 && continue
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
for pair in $libraries; do
  pkg-config --exists "${pair%%:*}" 2>/dev/null || missing="$missing ${pair#*:}"
done
[ -e "${DYGRAPHS:-/usr/share/javascript/dygraphs}/dygraph.min.js" ] || missing="$missing libjs-dygraphs"
[ "${1:-}" = check ] && ! "${PSPROBE_PYTHON:-/usr/bin/python3}" -c 'import grpc' 2>/dev/null && missing="$missing python3-grpcio"
[ "${1:-}" = bench ] && ! "${PSPROBE_PYTHON:-/usr/bin/python3}" -c 'import scipy' 2>/dev/null && missing="$missing python3-scipy"
# Google's client in Go, for who has Go.
case ${1:-} in check | bench)
  ! command -v go >/dev/null 2>&1 && [ "$1" = check ] ||
    [ -e /usr/share/gocode/src/cloud.google.com/go/pubsub ] || missing="$missing golang-google-cloud-dev" ;;
esac
[ -e /usr/include/uthash.h ] || missing="$missing uthash-dev"
# shellcheck disable=SC2086
echo '#include <stdio.h>' | ${CC:-cc} -E - >/dev/null 2>&1 || missing="$missing libc6-dev"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "These packages are needed (by their Debian names), and there is no apt-get to get them:$missing" >&2
  exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "Needed, and neither root nor sudo to install them: apt-get install$missing" >&2
    exit 1
  }
  sudo=sudo
fi
echo "Installing what is missing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of words is what apt-get takes
if ! { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "apt-get could not install:$missing" >&2
  exit 1
fi
