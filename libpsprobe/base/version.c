/* SPDX-License-Identifier: MIT */
/** @file The version. */
#include <psprobe/version.h>

const char *psprobe_version(void) {
  return PSPROBE_VERSION;
}
