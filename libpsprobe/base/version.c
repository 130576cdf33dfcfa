/* SPDX-License-Identifier: MIT */
#include <psprobe/version.h>

const char *psprobe_version(void) {
  return PSPROBE_VERSION;
}
