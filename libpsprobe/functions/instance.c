/* SPDX-License-Identifier: MIT */
#include "functions/instance.h"

#include <inttypes.h>
#include <stdio.h>

#include "os/clock.h"
#include "os/random.h"
#include "os/start.h"

bool psp_instance_init(psp_instance *instance) {
  uint64_t random;
  if (!psp_random(&random, sizeof random)) return false;
  snprintf(instance->id, sizeof instance->id, "%016" PRIx64, random);
  instance->start_ns = psp_process_start_ns();
  atomic_init(&instance->ready_ns, -1);
  atomic_init(&instance->calls, 0);
  return true;
}

void psp_instance_is_ready(psp_instance *instance) {
  int64_t none = -1;
  atomic_compare_exchange_strong(&instance->ready_ns, &none,
                                 psprobe_clock_monotonic() - instance->start_ns);
}

uint64_t psp_instance_call(psp_instance *instance) {
  return atomic_fetch_add(&instance->calls, 1) + 1;
}

int64_t psp_instance_age_ns(const psp_instance *instance, int64_t received_ns) {
  return received_ns > instance->start_ns ? received_ns - instance->start_ns : 0;
}

int64_t psp_arrived_wall_ns(int64_t received_ns) {
  return psprobe_clock_wall() - (psprobe_clock_monotonic() - received_ns);
}
