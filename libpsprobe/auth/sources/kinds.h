/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_KINDS_H
#define PSP_AUTH_SOURCES_KINDS_H
/** @file The making of sources: the one place that knows all kinds of them. */
#include "auth/sources/source.h"

/**
 * Takes `file` (also on failure) and makes ready what it needs.
 * @param path copied; NULL for a nested file
 */
psprobe_code psp_source_new(psp_key_file *file, const char *path, psp_source **source,
                            psprobe_error *error);
/** The metadata server at `host`, copied. */
psprobe_code psp_source_new_metadata(const char *host, psp_source **source, psprobe_error *error);

#endif
