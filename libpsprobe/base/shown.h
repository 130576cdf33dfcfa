/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_SHOWN_H
#define PSP_BASE_SHOWN_H
/** @file A setting's value as it may be shown: people put keys where a file's name belongs. Pure.
 */
#include <stddef.h>

/**
 * What secret a value may be: "JSON (a key?)", "PEM (a key?)", "a token", "something encoded (a
 * key?)"; NULL: none. A long file name may look encoded: ask whether there is such a file first.
 */
const char *psp_secret_kind(const char *value);

/**
 * Writes the value as it may be shown in a message, a log, a list of settings: nothing of what may
 * be a secret ("(JSON (a key?), not shown)"), a URL without its user and password ("***@") and
 * without its query ("?***"), all else as base/printable.h has it, cut to `size`.
 * @return out
 */
char *psp_setting_shown(char *out, size_t size, const char *value);

#endif
