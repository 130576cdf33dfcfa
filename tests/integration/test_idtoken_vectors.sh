#!/bin/sh
# SPDX-License-Identifier: MIT
# The ID-token vectors through the verifier; and that a wrong expectation would be seen.
set -eu
tool=${BUILD:-build}/tests/tools/idtoken_vectors
data=tests/data/idtoken
"$tool" "$data/jwks.json" "$data/cases.json"
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT
sed 's/"expect": *"accept"/"expect":"refuse"/' "$data/cases.json" >"$wrong"
if "$tool" "$data/jwks.json" "$wrong" >/dev/null; then
  echo "a mismatch ended with exit status 0"
  exit 1
fi
