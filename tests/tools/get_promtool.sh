#!/bin/sh
# SPDX-License-Identifier: MIT
# Takes promtool alone out of Debian's package prometheus, into build/promtool: installing the
# package would start a service.
set -eu
build=${BUILD:-build}
mkdir -p "$build/promtool"
cd "$build/promtool"
[ -x usr/bin/promtool ] && exit 0
apt-get download -q prometheus >/dev/null 2>&1 || { apt-get update -qq && apt-get download -q prometheus >/dev/null; }
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
rm -f prometheus_*.deb
