/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_SHOWN_H
#define PSP_BASE_SHOWN_H
/** @file A setting's value as it may be shown: people put keys where a file's name belongs. Pure.
 */
#include <stddef.h>

#include <psprobe/error.h>

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

/** What a setting is shown as in an error, cut to this. */
#define PSP_SHOWN_SIZE 200
/**
 * Refuses a setting's value: `what "VALUE": why`, the value as psp_setting_shown has it. The one
 * way by which a setting comes into an error (make check-house).
 * @param value NULL reads ""
 * @return INVALID_ARGUMENT
 */
psprobe_code psp_setting_refuse(psprobe_error *error, const char *what, const char *value,
                                const char *why, ...) PSPROBE_PRINTF(4, 5);

#endif
