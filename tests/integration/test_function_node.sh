#!/bin/bash
# SPDX-License-Identifier: MIT
# A Node program as a function.
set -u
. tests/integration/function_program.sh
command -v node >/dev/null 2>&1 || { echo "SKIPPED: there is no node (Debian: apt-get install nodejs, or tests/deps.sh bench)"; exit 77; }
check_program node-function node tests/data/functions/function.mjs
