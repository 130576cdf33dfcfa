/* SPDX-License-Identifier: MIT */
#include "os/start.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

/* starttime is the 20th number behind the command's name (proc(5)), which may hold anything. */
#define START_FIELD 20

static int64_t start_ticks(const char *stat) {
  const char *at = strrchr(stat, ')');
  for (int field = 0; at != NULL && field < START_FIELD; field++)
    at = strchr(at + 1, ' ');
  return at != NULL ? strtoll(at, NULL, 10) : -1;
}

int64_t psp_start_of(const char *stat, long ticks_s, int64_t boot_ns, int64_t now_ns,
                     int64_t cpu_ns) {
  int64_t ticks = start_ticks(stat);
  int64_t latest = now_ns - cpu_ns;
  if (ticks < 0 || ticks_s <= 0) return latest;
  int64_t tick_ns = PSP_SECOND_NS / ticks_s;
  int64_t earliest = now_ns - (boot_ns - ticks * tick_ns);
  if (latest > earliest + tick_ns) return earliest + tick_ns;
  return latest < earliest ? earliest : latest;
}

static int64_t read_clock(clockid_t clock) {
  struct timespec t = {0};
  clock_gettime(clock, &t);
  return t.tv_sec * PSP_SECOND_NS + t.tv_nsec;
}

int64_t psp_process_start_ns(void) {
  char stat[1024] = "";
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    ssize_t got = read(fd, stat, sizeof stat - 1);
    stat[got > 0 ? got : 0] = 0;
    close(fd);
  }
  return psp_start_of(stat, sysconf(_SC_CLK_TCK), read_clock(CLOCK_BOOTTIME),
                      psprobe_clock_monotonic(), read_clock(CLOCK_PROCESS_CPUTIME_ID));
}
