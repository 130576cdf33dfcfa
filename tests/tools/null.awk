# SPDX-License-Identifier: MIT
# Pointers are compared with NULL and codes with PSPROBE_OK, by a cheap look: names that a file declares
# as a pointer (or as a psprobe_code) and as nothing else, where they stand bare after `!`, in if and
# while, or beside && and ||. Members and calls are not seen.
# usage: awk -f tests/tools/null.awk FILE.c...     prints FILE:LINE: what is bare
function note(text,   rest, kind, name) {
  # bool a = false, b = false: b too
  if (text ~ /^ +(bool|int|size_t|char|u?int[0-9]+_t|double) [a-z_0-9]+( = [^(,]*)?, [a-z]/) {
    rest = text
    while (match(rest, /, [a-z_0-9]+/)) {
      other[substr(rest, RSTART + 2, RLENGTH - 2)] = 1
      rest = substr(rest, RSTART + RLENGTH)
    }
  }
  rest = text
  while (match(rest, /[a-z_0-9]+ +\**(const )?[a-z_0-9]+( = |;|,|\)|\[)/)) {
    kind = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH - 1)
    name = kind
    sub(/( = |;|,|\)|\[)$/, "", name)
    sub(/.*[ *]/, "", name)
    if (kind ~ /^(return|else|goto|case|sizeof|struct|const) /) continue
    if (kind ~ /\[$/) other[name] = 1
    else if (kind ~ /\*/) pointer[name] = 1
    else if (kind ~ /^psprobe_code /) code[name] = 1
    else if (kind ~ /^[a-z]/) other[name] = 1
  }
}
function bare(line, pattern,   rest, name, sound) {
  rest = line
  while (match(rest, pattern)) {
    name = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH - 1)
    gsub(/[^a-z_0-9]/, " ", name)
    sub(/^ *((if|while) )? */, "", name)
    sub(/ .*/, "", name)
    if (name in other) continue
    if (name in pointer && !(name in code)) return name " is a pointer: == NULL or != NULL"
    if (name in code && !(name in pointer)) return name " is a code: == PSPROBE_OK or != PSPROBE_OK"
  }
  return ""
}
function end_file(   i, what) {
  for (i = 1; i <= count; i++) {
    what = bare(lines[i], "![a-z_0-9]+( |\\)|;)")
    if (what == "") what = bare(lines[i], "(if|while) \\([a-z_0-9]+( &&| \\|\\||\\))")
    if (what == "") what = bare(lines[i], "(&&|\\|\\|) [a-z_0-9]+( &&| \\|\\||\\)|;)")
    if (what != "") printf "%s:%d: %s\n", file, i, what
  }
  for (i in pointer) delete pointer[i]
  for (i in code) delete code[i]
  for (i in other) delete other[i]
}
FNR == 1 { end_file(); file = FILENAME; count = 0 }
{
  text = $0
  gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
  if (text ~ /^ *(\/\*| \*)/) text = ""
  lines[++count] = text
  note(text)
}
END { end_file() }
