/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLI_FILES_H
#define PSP_CLI_FILES_H
/** @file Whether as many files may be open as a prober's rate and timeout ask for. Pure. */
#include <stdbool.h>

#include <psprobe/prober.h>

#include "base/buf.h"

/**
 * Says when a broker that does not answer would be left more calls than may be made at once.
 * @param files how many may be open; UINT64_MAX: no bound
 * @return false: there is nothing to say
 */
bool psp_cli_files_note(psp_buf *out, uint64_t files, const psprobe_prober_settings *settings);

#endif
