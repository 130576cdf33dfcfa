#!/bin/bash
# SPDX-License-Identifier: MIT
# The live page in Debian's Chromium, behind Debian's nginx with its defaults.
set -eu
command -v "${PSPROBE_CHROMIUM:-chromium}" >/dev/null || { echo "SKIPPED: there is no chromium (Debian: apt-get install chromium)"; exit 77; }
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo "SKIPPED: there is no nginx (Debian: apt-get install nginx-light)"; exit 77; }
tests/interop/install.sh tests/browser
bin=${BUILD:-build}/examples
export PSPROBE_SHOTS=${BUILD:-build}/shots
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
port=$((30000 + RANDOM % 2000))
page=$((port + 1)) answers=$((port + 2))
mkdir "$work/tmp"
cat >"$work/nginx.conf" <<END
pid $work/nginx.pid; error_log $work/err.log; daemon off; worker_processes 1;
events { worker_connections 256; }
http { access_log off; client_body_temp_path tmp/a; proxy_temp_path tmp/b; fastcgi_temp_path tmp/c; uwsgi_temp_path tmp/d; scgi_temp_path tmp/e;
  server { listen 127.0.0.1:$port; location / { proxy_pass http://127.0.0.1:$page; } } }
END
"$nginx" -p "$work" -c "$work/nginx.conf" 2>/dev/null &
eval "$("$bin/local" --pubsub-port 0 --firestore-port 0 &)"
trap 'kill $PSPROBE_LOCAL_PID $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
for source in cloud_function regular_service; do
  "$bin/subscriber" --project demo-project --create --source $source --subscription "probes-$source" \
    --prober "http://127.0.0.1:$answers" --log-level error >/dev/null &
done
node tests/browser/proxy.mjs $port $page -- "$bin/prober" --project demo-project --create --interval 50ms --timeout 1s \
  --listen "127.0.0.1:$answers" --admin-listen "127.0.0.1:$page" --no-firestore --db "$work/live.db"
