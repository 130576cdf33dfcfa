/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_ERROR_H
#define PSP_BASE_ERROR_H
/** @file Filling in a psprobe_error. */
#include <psprobe/error.h>

/**
 * Fills `error` (may be NULL) and returns `code`, so that a function can end
 * with `return psp_fail(error, PSPROBE_…, "…", …)`. Sets retryable for
 * UNAVAILABLE, clears the rest. Remote text (through "%s") is made printable
 * (base/printable.h); what is too long is cut between characters.
 */
psprobe_code psp_fail(psprobe_error *error, psprobe_code code, const char *format, ...)
    PSPROBE_PRINTF(3, 4);
/** The same for want of memory: RESOURCE_EXHAUSTED, "out of memory: what". */
psprobe_code psp_fail_memory(psprobe_error *error, const char *what);
/** Puts `format…` and ": " before the message that is there. Keeps the rest. Returns its code;
 * UNKNOWN when `error` is NULL, so keep the code where that can be. */
psprobe_code psp_fail_in(psprobe_error *error, const char *format, ...) PSPROBE_PRINTF(2, 3);
/** Reads Google's name of a code ("NOT_FOUND"); PSPROBE_UNKNOWN for others. */
psprobe_code psp_code_parse(const char *name);
/** What an HTTP status means where the body names no code (google.rpc.Code's comments). */
psprobe_code psp_code_from_http(int status);

#endif
