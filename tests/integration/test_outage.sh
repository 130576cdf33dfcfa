#!/bin/bash
# SPDX-License-Identifier: MIT
# Firestore is gone for OUTAGE seconds (10) under probers that send 100 probes a second: it hangs (SIGSTOP) for
# one, and is killed and started again for another, while a third has none. Nothing is lost and nothing is there
# twice, both are drained within 10 s of its return, and sending does not feel it. On Google's emulator too, where
# there is one (it hangs; killed, it forgets what it had: what was not uploaded by then must be there), if
# OUTAGE is 60 or more.
# environment: OUTAGE, seconds; from 60 on lateness is held against the third's: p99 within 5 %, or 0.1 ms
set -u
. "${0%/*}/programs.sh"
outage=${OUTAGE:-10}
drain_s=10
groups=() # Google's emulators: a script and its Java
trap 'for group in "${groups[@]}"; do kill -KILL -- -"$group" 2>/dev/null; done; cleanup' EXIT

# documents_at NAME PORT: a stand-in of its own for documents; pid in $docs, HOST:PORT in $line.
documents_at() {
  start "$1" local --pubsub-port 0 --firestore-port "$2" --db "$work/$1.kept"
  docs=$pid
  ready "$1" FIRESTORE_EMULATOR_HOST=
}
# google_at NAME PORT: Google's emulator, in a group of its own that $docs leads.
google_at() {
  setsid "$emulator" start --host=127.0.0.1 "--port=$2" >"$work/$1.out" 2>&1 &
  docs=$!
  groups+=("$docs")
  line=127.0.0.1:$2
  until_true 60 curl -s --max-time 2 "http://$line/" || wrong "Google's emulator does not start" "$work/$1.out"
}
# prober_at NAME HOST:PORT OPTION...: a prober with a topic and a responder of its own; its pid in $prober. Each has
# another interval: with the same one, two whose slots fall together would hold each other up all the time.
interval_us=9955
prober_at() {
  local name=$1 at=$2
  interval_us=$((interval_us + 15))
  json -X PUT "$(pubsub "topics/$name")" -d '{}' >/dev/null
  json -X PUT "$(pubsub "subscriptions/$name")" -d "{\"topic\":\"projects/demo-project/topics/$name\"}" >/dev/null
  FIRESTORE_EMULATOR_HOST=$at start "$name" prober --topic "$name" --interval "${interval_us}us" --timeout 20s --source alone \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --db "$work/$name.db" "${@:3}"
  prober=$pid
  ready "$name" 'listening on '
  start "$name-sub" subscriber --source alone --subscription "$name" --prober "$line"
  ready "$name-sub" pulling
}
admin() { sed -n 's/.*live page at \(.*\)\//\1/p' "$work/$1.out"; }
backlog() { curl -s --max-time 5 "$(admin "$1")/metrics" | sed -n 's/^psprobe_upload_backlog_results //p'; }
small() { [ "$(backlog "$1")" -lt 100 ]; } # a second's probes: what is always on its way
up() { [ "$(backlog "$1")" -lt 100 ] && [ "$(csv "$work/$1.db" | wc -l)" -gt 150 ]; }
# back NAME: looks until it is drained, and tells how long that took.
back() {
  local since=$EPOCHREALTIME
  until_true "$drain_s" small "$1" || wrong "$1: not drained in $drain_s s: $(backlog "$1") left" "$work/$1.err"
  awk -v a="$since" -v b="$EPOCHREALTIME" -v n="$1" 'BEGIN { printf "%s: drained in %.1f s\n", n, b - a }'
}
# ids NAME HOST:PORT: what is there, sorted, one a line, twice if it is.
ids() {
  FIRESTORE_EMULATOR_HOST=$2 document_names pubsub_results >"$work/$1.names" || wrong "$1: its documents cannot be listed"
  sed 's|.*/||; s|"$||' "$work/$1.names" | sort
}
# end NAME PID
end() {
  kill -INT "$2"
  ended "$2" 60
  [ "$status" = 0 ] || wrong "$1 ended with $status" "$work/$1".*
  grep -q 'not all results are in Firestore' "$work/$1.err" && wrong "$1: not all went up" "$work/$1.err"
  csv "$work/$1.db" | cut -d, -f1 | sort >"$work/$1.rows"
}
same() { diff "$work/$1.rows" "$work/$1.ids" >"$work/diff" || wrong "$1: rows and documents differ" "$work/diff"; }
# p99 NAME [OTHER]: of how late probes were sent, ns; while OTHER sent
p99() {
  local of=${2:-$1} from to
  IFS='|' read -r from to < <(sqlite3 "$work/$of.db" 'SELECT min(sent_ns), max(sent_ns) FROM probes')
  sqlite3 "$work/$1.db" "SELECT lateness_ns FROM probes WHERE sent_ns BETWEEN $from AND $to" | sort -n |
    awk '{ a[NR] = $1 } END { print a[int(NR * .99 + .5)] }'
}

stand_in
documents_at hangs 0
hangs=$docs hangs_at=$line
documents_at killed 0
killed=$docs killed_at=$line
prober_at stopped "$hangs_at"
a=$prober
prober_at restarted "$killed_at"
b=$prober
prober_at alone "$killed_at" --no-firestore
c=$prober
emulator=''
if [ "$outage" -ge 60 ]; then
  root=${CLOUDSDK_ROOT:-$(gcloud info --format='value(installation.sdk_root)' 2>/dev/null)}
  [ -x "$root/platform/cloud-firestore-emulator/cloud_firestore_emulator" ] &&
    emulator=$root/platform/cloud-firestore-emulator/cloud_firestore_emulator
fi
if [ -n "$emulator" ]; then
  google_at google-hangs 28731
  gh=$docs gh_at=$line
  google_at google-killed 28732
  gk=$docs gk_at=$line
  prober_at big-stopped "$gh_at"
  d=$prober
  prober_at big-restarted "$gk_at"
  e=$prober
fi
probers=(stopped restarted ${emulator:+big-stopped big-restarted})
for name in "${probers[@]}"; do
  until_true 30 up "$name" || wrong "$name: nothing is uploaded" "$work/$name".*
done

kill -STOP -- "$hangs" ${emulator:+-"$gh"}
kill -KILL -- "$killed" ${emulator:+-"$gk"}
wait "$killed" 2>/dev/null
[ -z "$emulator" ] || sqlite3 "$work/big-restarted.db" 'SELECT id FROM probes WHERE state = 2 AND uploaded = 0' |
  sort >"$work/left"
sleep "$outage"
for name in "${probers[@]}"; do
  [ "$(backlog "$name")" -gt $((outage * 50)) ] || wrong "$name: it was not gone, or nothing was sent meanwhile"
  echo "$name: $(backlog "$name") waiting after $outage s"
done
documents_at killed "${killed_at##*:}"
[ "$line" = "$killed_at" ] || wrong "it came back elsewhere"
back restarted
kill -CONT "$hangs"
back stopped
if [ -n "$emulator" ]; then
  kill -CONT -- -"$gh"
  back big-stopped
fi
end stopped "$a"
end restarted "$b"
if [ -n "$emulator" ]; then # which has the machine to itself as it starts: so has one who starts it
  end big-stopped "$d"
  google_at google-killed 28732
  back big-restarted
  end big-restarted "$e"
fi
end alone "$c"
ids stopped "$hangs_at" >"$work/stopped.ids"
ids restarted "$killed_at" >"$work/restarted.ids"
same stopped
same restarted
if [ -n "$emulator" ]; then
  ids big-stopped "$gh_at" >"$work/big-stopped.ids"
  same big-stopped
  ids big-restarted "$gk_at" >"$work/big-restarted.ids"
  [ -z "$(comm -23 "$work/left" "$work/big-restarted.ids")" ] || wrong "what was left at the kill is not there"
  [ -z "$(uniq -d "$work/big-restarted.ids")" ] || wrong "uploaded twice"
fi
for name in "${probers[@]}" alone; do
  echo "$name: $(wc -l <"$work/$name.rows") probes, sent late by p99 $(p99 "$name") ns, alone $(p99 alone "$name") ns"
  [ "$(csv "$work/$name.db" | grep -vc answered)" = 0 ] || wrong "$name: a probe was not answered" "$work/$name.out"
  [ "$outage" -lt 60 ] || awk -v a="$(p99 "$name")" -v b="$(p99 alone "$name")" 'BEGIN { exit !(a <= b * 1.05 + 100000) }' ||
    wrong "$name: sending felt it"
done
exit $bad
