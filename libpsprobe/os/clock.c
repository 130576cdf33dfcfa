/* SPDX-License-Identifier: MIT */
#include "os/clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * PSP_SECOND_NS + now.tv_nsec;
}

int64_t psprobe_clock_monotonic(void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t psprobe_clock_wall(void) {
  return read_clock(CLOCK_REALTIME);
}

void psprobe_sleep_until(int64_t when_ns) {
  if (when_ns <= 0) return;
  const struct timespec when = {.tv_sec = (time_t)(when_ns / PSP_SECOND_NS),
                                .tv_nsec = (long)(when_ns % PSP_SECOND_NS)};
  /* An absolute time makes the retry exact: nothing is added up over signals. */
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) {
  }
}

static int64_t boot_ns(void *arg) {
  (void)arg;
  return read_clock(CLOCK_BOOTTIME);
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return psprobe_clock_wall() / PSP_SECOND_NS;
}

const psp_clock psp_clock_system = {.boot_ns = boot_ns, .wall_s = wall_s};

int64_t psp_clock_boot_ns(const psp_clock *clock) {
  return clock->boot_ns(clock->arg);
}

int64_t psp_clock_wall_s(const psp_clock *clock) {
  return clock->wall_s(clock->arg);
}

void psp_clock_tell(char words[PSP_CLOCK_WORDS]) {
  char name[33] = "";
  struct timex state = {0};
  FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (file == NULL || fscanf(file, "%32s", name) != 1) snprintf(name, sizeof name, "unknown");
  if (file != NULL) fclose(file);
  if (adjtimex(&state) == -1 || (state.status & STA_UNSYNC) != 0)
    snprintf(words, PSP_CLOCK_WORDS, "%s, not synchronised", name);
  else
    snprintf(words, PSP_CLOCK_WORDS, "%s, within %.1f ms", name, (double)state.maxerror / 1000);
}
