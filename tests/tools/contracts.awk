# SPDX-License-Identifier: MIT
# The contract slots of the public headers: the @file comment ends with the defaults, every function
# has a comment right above it with a @param for each parameter (but the object itself, `error` and a
# callback's `arg`) and a @return, which names PSPROBE_OK where a psprobe_code is returned; a maker
# returns a psprobe_code. "As psprobe_x." stands for all slots.
# usage: awk -f tests/tools/contracts.awk include/psprobe/*.h     prints FILE:LINE: what is missing
function miss(what) { printf "%s:%d: %s\n", FILENAME, line, what }
function end_file(   slots, i, n) {
  if (file == "") return
  n = split("Ownership Threading Blocks", slots, " ")
  for (i = 1; i <= n; i++)
    if (index(file_comment, " " slots[i] ": ") == 0)
      printf "%s:1: the @file comment has no line `%s:`\n", file, slots[i]
}
# The name of a parameter: "" for void, "..." and what needs no line of its own.
function name_of(parameter, first) {
  gsub(/^[ \t]+|[ \t]+$/, "", parameter)
  if (parameter == "void" || parameter == "...") return ""
  if (first && parameter ~ /^(const )?psprobe_[a-z0-9_]+ \*[a-z_]/ && parameter !~ /_options \*/) return ""
  if (match(parameter, /\(\*[a-z0-9_]+\)/)) return substr(parameter, RSTART + 2, RLENGTH - 3)
  sub(/\[[^]]*\]$/, "", parameter)
  match(parameter, /[a-z0-9_]+$/)
  parameter = substr(parameter, RSTART)
  return parameter == "error" || parameter == "arg" ? "" : parameter
}
function look(declaration, comment,   open, head, function_name, text, depth, i, c, part, count, name, result) {
  sub(/ *PSPROBE_PRINTF\(.*$/, ";", declaration)
  open = index(declaration, "(")
  head = substr(declaration, 1, open - 1)
  match(head, /psprobe_[a-z0-9_]+$/)
  function_name = substr(head, RSTART)
  if (comment == "") { miss(function_name " has no comment right above it"); return }
  result = head ~ /^PSPROBE_API void psprobe_[a-z0-9_]+$/ ? "void" : head ~ /^PSPROBE_API psprobe_code / ? "code" : "value"
  if (function_name ~ /_new$/ && result != "code") miss(function_name " is a maker and returns no psprobe_code")
  if (comment ~ /[Aa]s psprobe_[a-z0-9_]+[.,;:]?( |$)/) return
  text = substr(declaration, open + 1)
  sub(/\) *;.*$/, "", text)
  text = text ","
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "(") depth++
    if (c == ")") depth--
    if (c != "," || depth > 0) { part = part c; continue }
    name = name_of(part, count++ == 0)
    part = ""
    if (name != "" && comment !~ ("@param ([a-z0-9_]+, )*" name "[ ,]")) miss(function_name ": no @param " name)
  }
  if (result != "void" && index(comment, "@return ") == 0) miss(function_name ": no @return")
  else if (result == "code" && comment !~ /@return .*PSPROBE_OK/) miss(function_name ": its @return does not say PSPROBE_OK")
}
FNR == 1 { end_file(); file = FILENAME; file_comment = ""; comment = ""; inside = 0 }
/^\/\*/ { comment = ""; inside = 1 }
inside {
  text = $0
  sub(/^(\/\*\*?| \*\/?)/, "", text)
  sub(/ *\*\/$/, "", text)
  comment = comment " " text
  gsub(/ +/, " ", comment)
  if ($0 ~ /\*\/ *$/) {
    inside = 0
    fresh = FNR
    if (index(comment, "@file")) { file_comment = comment; comment = "" }
  }
  next
}
/^PSPROBE_API/ {
  line = FNR
  declaration = $0
  while (declaration !~ /;/ && (getline following) > 0) declaration = declaration " " following
  gsub(/ +/, " ", declaration)
  look(declaration, fresh == line - 1 ? comment : "")
  comment = ""
}
END { end_file() }
