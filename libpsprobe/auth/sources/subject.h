/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_SOURCES_SUBJECT_H
#define PSP_AUTH_SOURCES_SUBJECT_H
/** @file Subject tokens of external accounts: what files and executables say. Pure. */
#include <stdint.h>

#include <psprobe/error.h>

#include "os/secret.h"

/** What an executable's answer (AIP-4117) comes to. */
typedef enum psp_executable_verdict {
  PSP_EXECUTABLE_TOKEN,   /**< a token that is good for a while */
  PSP_EXECUTABLE_EXPIRED, /**< it was one */
  PSP_EXECUTABLE_FAILED,  /**< success: false */
  PSP_EXECUTABLE_BROKEN   /**< no such answer */
} psp_executable_verdict;

/**
 * Reads {"version":1,"success":true,"token_type",…}.
 * @param need_expiry an output file is configured: expiration_time must be there
 * @param token receives the token of a PSP_EXECUTABLE_TOKEN
 * @param error (may be NULL) is filled for the others
 */
psp_executable_verdict psp_executable_read(const char *text, size_t len, int64_t now_s,
                                           bool need_expiry, const char *what, psp_secret *token,
                                           psprobe_error *error);

/**
 * The token of a file's or URL's text: field `json_field` of an object, or, when that is NULL, the
 * whole text without the white space at its end (which an editor puts there, and no token has).
 */
psprobe_code psp_subject_read(const char *text, size_t len, const char *json_field,
                              const char *what, psp_secret *token, psprobe_error *error);

#endif
