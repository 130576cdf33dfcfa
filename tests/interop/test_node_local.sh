#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's Node client and we read each other's documents in the stand-in, over REST.
set -eu
"$(dirname "$0")"/install.sh
PSPROBE_TEST_TARGET=local "${BUILD:-build}"/tests/tools/interop_firestore \
  node "$(dirname "$0")"/firestore.mjs rest
