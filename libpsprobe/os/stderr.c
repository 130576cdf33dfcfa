/* SPDX-License-Identifier: MIT */
/** @file Log lines on standard error. */
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <psprobe/log.h>

#include "base/timestamp.h"
#include "os/clock.h"

void psprobe_log_stderr(void *arg, psprobe_log_level level, const char *line) {
  (void)arg;
  (void)level;
  int64_t now_ns = psprobe_clock_wall();
  char stamp[PSP_TIMESTAMP_SIZE], head[PSP_TIMESTAMP_SIZE + 16];
  psp_timestamp_format(stamp, now_ns / PSP_SECOND_NS, 0);
  /* Always six decimals: lines stand in columns and sort as text. */
  int len = snprintf(head, sizeof head, "time=%.19s.%06dZ ", stamp,
                     (int)(now_ns % PSP_SECOND_NS / PSP_US_NS));
  struct iovec parts[] = {
      {.iov_base = head, .iov_len = (size_t)len},
      {.iov_len = strlen(line)},
      {.iov_base = (char[]){'\n'}, .iov_len = 1},
  };
  memcpy(&parts[1].iov_base, &line, sizeof line);    /* iovec knows no const */
  ssize_t written = writev(STDERR_FILENO, parts, 3); /* one call, so that lines do not mix */
  (void)written;                                     /* nowhere to report to */
}
