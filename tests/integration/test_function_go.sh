#!/bin/bash
# SPDX-License-Identifier: MIT
# A Go program as a function.
set -u
. tests/integration/function_program.sh
command -v go >/dev/null 2>&1 || { echo "SKIPPED: there is no go (Debian: apt-get install golang-go, or tests/deps.sh bench)"; exit 77; }
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
HOME=${HOME:-$built} go build -o "$built/function" tests/data/functions/function.go || exit 1
check_program go-function "$built/function"
