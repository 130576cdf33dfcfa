/* SPDX-License-Identifier: MIT */
#include "auth/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t boot_ns(void *arg) {
  (void)arg;
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return time(NULL);
}

const psp_clock psp_clock_system = {.boot_ns = boot_ns, .wall_s = wall_s};

int64_t psp_clock_boot_ns(const psp_clock *clock) {
  return clock->boot_ns(clock->arg);
}

int64_t psp_clock_wall_s(const psp_clock *clock) {
  return clock->wall_s(clock->arg);
}
