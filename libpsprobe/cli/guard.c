/* SPDX-License-Identifier: MIT */
/** @file What a program does before anything else: standard files open, no core with a secret in
 * it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <psprobe/auth.h>

#include "cli/parts.h"

void psp_cli_open_standard(void) {
  int fd;
  do
    fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= 2);
  if (fd > 2) close(fd);
}

void psp_cli_guard(void) {
  psprobe_wipe_freed_memory();
  const char *wanted = getenv("PSPROBE_CORE_DUMPS");
  if (wanted == NULL || strcmp(wanted, "1") != 0) prctl(PR_SET_DUMPABLE, 0);
}
