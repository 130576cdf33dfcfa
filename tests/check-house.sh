#!/bin/sh
# SPDX-License-Identifier: MIT
# The rules of the house (docs/architecture.md, CONTRIBUTING.md), looked for in the text of the tree and,
# for names and calls, in the objects that `make lib` left. Prints each fault as `rule file: what`.
# tests/house-exceptions lists how many faults of a rule are known: `rule count`. It only ever shrinks.
# usage: tests/check-house.sh [-a] [RULE...]      all rules, or these alone; -a: lists known faults too
# environment: BUILD, the folder with the objects (build)
# shellcheck disable=SC2317 # the rules are called by their names
set -u
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# What protoc-c wrote is not ours to shape.
git ls-files -co --exclude-standard -- libpsprobe examples tests include ':!*.pb-c.*' | sort -u >"$work/all"
while read -r file; do [ -e "$file" ] && echo "$file"; done <"$work/all" >"$work/files"
files() { grep -E "$1" "$work/files"; }
library=$(files '^libpsprobe/.*\.[ch]$')
sources=$(files '^libpsprobe/.*\.c$')
public=$(files '^include/.*\.h$')

# From the ground up.
floors="base os sql http stats grpc auth client pubsub firestore functions local doctor setup prober"
floors="$floors responder results report cli"
rule_floors() {
  below=" "
  for floor in $floors; do
    below="$below$floor "
    # shellcheck disable=SC2086
    grep -n '^#include "' $library | grep "^libpsprobe/$floor/" | while IFS=: read -r file line text; do
      seen=${text#*\"}
      case "$below" in *" ${seen%%/*} "*) ;; *) echo "$file:$line: includes ${seen%\"*}, of a floor above" ;; esac
    done
  done
  for folder in libpsprobe/*/; do
    case " $floors " in
      *" $(basename "$folder") "*) ;;
      *) echo "$folder:0: is no floor that this script knows" ;;
    esac
  done
}

# A third party stays in its one folder, and out of what others include.
only() { # header-pattern, folders
  # shellcheck disable=SC2086
  grep -nE "^#include <($1)" $library | grep -vE "^libpsprobe/($2)/" | sed "s@:#include@: belongs in $2: #include@"
}
rule_parties() {
  only 'curl/' 'http/client'
  only 'microhttpd' 'http/server'
  only 'zlib' 'http/server'
  only 'cjson/' 'base'
  only 'jwt' 'auth'
  only 'openssl/' 'auth|os|grpc'
  only 'nghttp2' 'grpc'
  only 'sqlite3' 'sql'
  only 'uthash|utlist' 'local'
  only 'protobuf-c/' 'pubsub'
  # shellcheck disable=SC2086
  grep -n '^#include ".*\.pb-c\.h"' $library | grep -vE '^libpsprobe/pubsub/proto(_publish)?\.c:' |
    sed 's|:#include|: sees protobuf-c, which is for pubsub/proto.c and proto_publish.c: #include|'
  # shellcheck disable=SC2086
  grep -nE '^#include <(curl|microhttpd|nghttp2|cjson|jwt|openssl|sqlite3|uthash|zlib|protobuf-c)' $public | sed 's|$| in a public header|'
  grep -nE '^#include "' examples/*.c | sed 's|$| is private to the library|'
}

# What is pure asks the kernel for nothing.
rule_ground() {
  # shellcheck disable=SC2086
  grep -nE '^#include <(pthread\.h|time\.h|unistd\.h|sys/)' $library | grep -E '^libpsprobe/(base|stats)/' |
    sed 's|:#include|: belongs in os/: #include|'
}

# A struct, enum or union tag with our prefix, an external name and a constant are defined once.
rule_names() {
  # shellcheck disable=SC2086
  awk '
    /^(typedef )?(struct|enum|union) [a-z_0-9]+ \{/ {
      match($0, /(struct|enum|union) [a-z_0-9]+/)
      tag = substr($0, RSTART, RLENGTH)
      name = tag
      sub(/^[a-z]+ /, "", name)
      if (name !~ /^psp/) { if (FILENAME ~ /\.h$/) printf "%s:%d: %s has no prefix\n", FILENAME, FNR, tag; next }
      if (name in tags) printf "%s:%d: %s is defined in %s too\n", FILENAME, FNR, tag, tags[name]
      else tags[name] = FILENAME
    }
    /^#define [A-Za-z_0-9]+[ (]/ {
      value = $0
      sub(/^#define +/, "", value)
      sub(/ *\/\*.*$/, "", value)
      gsub(/ +/, " ", value)
      name = value
      sub(/[ (].*$/, "", name)
      if (value in macros && macros[value] != FILENAME)
        printf "%s:%d: %s stands in %s too\n", FILENAME, FNR, name, macros[value]
      else if (name ~ /^PSP/ && name in shared && shared[name] != FILENAME)
        printf "%s:%d: %s stands in %s too, with another value\n", FILENAME, FNR, name, shared[name]
      macros[value] = shared[name] = FILENAME
    }' $library $public
  for source in $sources; do
    object=$build/${source%.c}.o
    if [ -e "$object" ]; then nm -g --defined-only "$object" | sed "s|^|$source |"; else echo "$source - - ?"; fi
  done | awk '
    $4 == "?" { printf "%s:0: is not built: make lib first\n", $1; next }
    $4 in home { printf "%s:0: %s is defined in %s too\n", $1, $4, home[$4] }
    { home[$4] = $1 }'
}

# A function that crosses files is called from another file of the library, or from a test of it.
rule_idle() {
  grep -rhowE 'psp_[a-z0-9_]+' tests | sort -u >"$work/tried"
  for source in $sources; do
    nm -g "$build/${source%.c}.o" | sed "s|^ *|$source |"
  done | awk '
    FILENAME == ARGV[1] { asked[$1] = 1; next }
    $(NF - 1) == "U" { asked[$NF] = 1 }
    $(NF - 1) == "T" && $NF ~ /^psp_/ { home[$NF] = $1 }
    END { for (name in home) if (!(name in asked)) printf "%s:0: %s is called by no other file: static, or gone\n", home[name], name }
  ' "$work/tried" -
}

# The second line of a source without a header of its own says what it is; a header always says it.
rule_opening() {
  for file in $(files '^(libpsprobe|examples|include)/.*\.[ch]$'); do
    head -n 1 "$file" | grep -q '^/\* SPDX-License-Identifier: MIT \*/$' || echo "$file:1: does not open with the licence"
    case $file in
      *.h) grep -q '@file' "$file" || echo "$file:2: a header without a @file comment" ;;
      *) if [ -e "${file%.c}.h" ]; then
           sed -n 2p "$file" | grep -q '^/\*' && echo "$file:2: its header says what it is: no comment here"
         else
           sed -n '2,3p' "$file" | tr '\n' ' ' | grep -q '^/\*\*[ *]*@file ' ||
             echo "$file:2: opens without a /** @file comment, and has no header of its own"
         fi ;;
    esac
  done
}

# What several parts of a folder share, and no source of that name, is its parts.h.
rule_parts() {
  for file in $(files '^libpsprobe/.*\.h$'); do
    case $file in */parts.h) continue ;; esac
    [ -e "${file%.h}.c" ] || echo "$file:0: a header without a source is called parts.h, one a folder"
    case $file in */internal.h | *_state.h | *_parts.h) echo "$file:0: is called parts.h" ;; esac
  done
}

# One style of comments and of constants.
rule_comments() {
  # shellcheck disable=SC2046
  awk '
    FILENAME ~ /\.c$/ && /\/\*\*[ <]/ && !/@file/ { printf "%s:%d: /** */ is for headers: /* */ here\n", FILENAME, FNR }
    FILENAME ~ /\.c$/ && /\/\*\*$/ { getline following; if (following !~ /@file/) printf "%s:%d: /** */ is for headers: /* */ here\n", FILENAME, FNR }
    /\/\* ?--/ && !/\/\* ---- [^-].*[^-] ---- \*\/$/ { printf "%s:%d: a ruler is /* ---- name ---- */\n", FILENAME, FNR }
    /^enum \{[^,{}]*\};/ { printf "%s:%d: one constant is a #define\n", FILENAME, FNR }
    /^[ \t]*\/\/ / { printf "%s:%d: comments are /* */\n", FILENAME, FNR }' $(files '\.[ch]$')
}

# NULL is compared with, and PSPROBE_OK: what a file declares as a pointer, or as a code, and as nothing else.
rule_null() {
  # shellcheck disable=SC2046
  awk -f tests/tools/null.awk $(files '\.c$')
}

rule_contracts() {
  # shellcheck disable=SC2086
  awk -f tests/tools/contracts.awk $public
}

# Files of one subject, functions that can be read at once. pmccabe's columns: modified complexity,
# traditional, statements, first line, lines, file(line): name.
rule_size() {
  for file in $library $public $(files '^(tests|examples)/.*\.[ch]$'); do
    lines=$(wc -l <"$file")
    case $file in *.c) most=400 ;; *) most=300 ;; esac
    [ "$lines" -le "$most" ] || echo "$file:$lines: has $lines lines, at most $most"
  done
  if ! command -v pmccabe >/dev/null 2>&1; then
    echo "NOT LOOKED AT: functions, pmccabe is not installed (tests/deps.sh check)" >&2
    return
  fi
  # shellcheck disable=SC2086
  pmccabe $sources examples/*.c | awk -F '\t' '
    {
      file = $6; sub(/\(.*/, "", file)
      name = $6; sub(/.*: /, "", name)
      if ($5 > 40) printf "%s:%d: %s has %d lines, at most 40\n", file, $4, name, $5
      if ($1 > 15) printf "%s:%d: %s has complexity %d, at most 15\n", file, $4, name, $1
      lines += $5
      weighted += $1 * $5
    }
    END { if (weighted > 6 * lines) printf "libpsprobe:0: mean complexity by lines is %.2f, at most 6\n", weighted / lines }'
}

rule_circles() { tests/tools/circles | grep -v '^circles: 0$' | sed -n 's|^[0-9]* that.*|libpsprobe:0: &|p'; }

# Text from outside reaches a sink by the one way that escapes it there: programs and the library print
# through psprobe_cli_print, reports write through psp_sink, the page puts text and never markup, and a
# setting stands in an error as psp_setting_shown has it (psp_setting_refuse).
rule_sinks() {
  # shellcheck disable=SC2046
  grep -nE '(^|[^a-z_])(v?d?f?printf|perror|puts|putchar|psignal)\(' $(files '^(libpsprobe|examples)/.*\.c$') |
    grep -v '^libpsprobe/cli/output\.c:' | sed 's|:[^:]*$|: prints past psprobe_cli_print|'
  # What is handed on in one piece: constants, or by psprobe_cli_put. (The report's rows go out as they are made.)
  # shellcheck disable=SC2046
  grep -nE '(^|[^a-z_])(fputs\([^"]|fputc\(|putc\(|fwrite(_unlocked)?\()' $(files '^(libpsprobe|examples)/.*\.c$') |
    grep -vE '^(libpsprobe/cli/output|examples/report)\.c:' | sed 's|:[^:]*$|: prints past psprobe_cli_put|'
  # shellcheck disable=SC2046
  grep -nE 'psp_buf_[a-z]+\([a-z]+(->|\.)to,' $(files '^libpsprobe/report/.*\.c$') |
    grep -v '^libpsprobe/report/sink\.c:' | sed 's|: .*|: writes past its sink|'
  # shellcheck disable=SC2046
  grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function' $(files '^libpsprobe/report/.*\.js$') |
    sed 's|: .*|: makes markup of text|'
  # The stand-in's broker and documents answer in the words of Google's emulator.
  # shellcheck disable=SC2046
  awk '
    FNR == 1 { statement = "" }
    /psp_fail(_in)?\(/ { statement = ""; first = FNR; open = 1 }
    open { statement = statement $0 }
    open && /;$/ {
      open = 0
      quoted = statement ~ /\\"%[.*0-9]*s\\"/ || statement ~ /'"'"'%[.*0-9]*s'"'"'/
      if (quoted && statement !~ /shown/) printf "%s:%d: quotes a value that is not shown\n", FILENAME, first
    }' $(files '^libpsprobe/.*\.c$' | grep -vE '^libpsprobe/local/(broker|documents|pubsub)/')
}

# What lies flat beside more than 24 others is not found any more: a family takes it.
rule_flat() {
  files '^libpsprobe/.*\.c$' | tr ' ' '\n' | sed -n 's|/[^/]*$||p' | sort | uniq -c |
    awk '$1 > 25 { print $2 ": " $1 " sources lie flat in it, 25 may" }'
}

all=0
[ "${1:-}" = -a ] && all=1 && shift
[ $# -gt 0 ] || set -- floors parties ground names idle opening parts comments null contracts size sinks circles flat
for rule; do
  "rule_$rule" | sort -u | sed "s|^|$rule |"
done >"$work/found"

# More faults of a rule than are known is a fault of today; fewer: the list may shrink.
status=0
for rule; do
  grep "^$rule " "$work/found" >"$work/now"
  now=$(wc -l <"$work/now")
  known=$(sed -n "s/^$rule \([0-9]*\)$/\1/p" tests/house-exceptions)
  if [ "$now" -gt "${known:-0}" ]; then
    cat "$work/now"
    echo "house: $now faults of \`$rule', ${known:-0} are known"
    status=1
  elif [ "$now" -lt "${known:-0}" ]; then
    echo "house: of \`$rule' $now of $known known faults remain: lower tests/house-exceptions"
    [ "$all" = 0 ] || cat "$work/now"
  elif [ "$now" -gt 0 ]; then
    [ "$all" = 0 ] || cat "$work/now"
    echo "house: $now known faults of \`$rule' (tests/check-house.sh -a $rule lists them)"
  fi
done
[ "$status" = 0 ] && echo "house: ok"
exit $status
