/* SPDX-License-Identifier: MIT */
/** @file The grid of times at which probes are sent. */
#include <psprobe/timing.h>

void psprobe_pacer_init(psprobe_pacer *pacer, int64_t start_ns, int64_t interval_ns) {
  pacer->start_ns = start_ns;
  pacer->interval_ns = interval_ns > 0 ? interval_ns : 1;
  pacer->next = 0;
}

/* Multiplied, never added up, so that no error accumulates; saturates where int64 ends. */
static int64_t slot_time(const psprobe_pacer *pacer, uint64_t slot) {
  int64_t offset;
  int64_t when;
  if (slot > INT64_MAX || __builtin_mul_overflow((int64_t)slot, pacer->interval_ns, &offset) ||
      __builtin_add_overflow(pacer->start_ns, offset, &when)) {
    return INT64_MAX;
  }
  return when;
}

int64_t psprobe_pacer_take(psprobe_pacer *pacer) {
  return slot_time(pacer, pacer->next++);
}

int64_t psprobe_pacer_peek(const psprobe_pacer *pacer) {
  return slot_time(pacer, pacer->next);
}
