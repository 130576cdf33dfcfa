#!/bin/sh
# SPDX-License-Identifier: MIT
# Google's Node client and we read each other's documents in Google's emulator, over gRPC and REST.
set -eu
"$(dirname "$0")"/install.sh
for transport in grpc rest; do
  "${BUILD:-build}"/tests/tools/interop_firestore node "$(dirname "$0")"/firestore.mjs "$transport"
done
