/* SPDX-License-Identifier: MIT */
#include "stats/bins.h"

static int32_t bin_of_size(uint64_t size) {
  if (size < 2 * PSP_BIN_STEPS) return (int32_t)size;
  const unsigned octave = 63u - (unsigned)__builtin_clzll(size);
  const unsigned shift = octave - PSP_BIN_STEPS_LOG2;
  /* size >> shift lies in [STEPS, 2 * STEPS): its top bit places the octave. */
  return (int32_t)(shift * PSP_BIN_STEPS) + (int32_t)(size >> shift);
}

int32_t psp_bin_of(int64_t ns) {
  if (ns < -INT64_MAX) ns = -INT64_MAX;
  return ns < 0 ? -bin_of_size((uint64_t)-ns) : bin_of_size((uint64_t)ns);
}

static unsigned shift_of(int32_t size) {
  return size < 2 * PSP_BIN_STEPS ? 0 : (unsigned)(size / PSP_BIN_STEPS) - 1;
}

int64_t psp_bin_least(int32_t bin) {
  const int32_t size = bin < 0 ? -bin : bin;
  if (size < 2 * PSP_BIN_STEPS) return bin;
  const int64_t least = (int64_t)(size % PSP_BIN_STEPS + PSP_BIN_STEPS) << shift_of(size);
  return bin < 0 ? -least : least;
}

int64_t psp_bin_width(int32_t bin) {
  return INT64_C(1) << shift_of(bin < 0 ? -bin : bin);
}
