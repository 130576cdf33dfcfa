/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_H
#define FUZZ_H
/** @file What the libFuzzer targets share. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** Holds in any build: assert() could be compiled away. */
#define FUZZ_ASSERT(condition) \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
