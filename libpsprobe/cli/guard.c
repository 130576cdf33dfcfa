/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <psprobe/auth.h>

#include "cli/cli.h"

void psp_cli_guard(void) {
  psprobe_wipe_freed_memory();
  const char *wanted = getenv("PSPROBE_CORE_DUMPS");
  if (wanted == NULL || strcmp(wanted, "1") != 0) prctl(PR_SET_DUMPABLE, 0);
}
