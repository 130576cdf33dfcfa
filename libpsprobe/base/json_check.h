/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_JSON_CHECK_H
#define PSP_BASE_JSON_CHECK_H
/** @file The guard before cJSON: grammar, UTF-8, depth. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Stands for \u0000 in what the guard passes on: bytes that no valid UTF-8 holds. */
#define PSP_JSON_ZERO "\xC0\x80"
/**
 * Begins a string that was a number other than a short integer: cJSON would
 * round it to a double, cut it at 63 characters and forget how it was spelled.
 */
#define PSP_JSON_NUMBER "\xC0\x81"

/** Where and why a text is no JSON. */
typedef struct psp_json_fault {
  size_t at;
  const char *why;
} psp_json_fault;

/**
 * Checks that `len` bytes are one JSON value (RFC 8259, strictly) with white
 * space, in valid UTF-8, at most PSP_JSON_DEPTH deep, without lone surrogates.
 * Where something must be put otherwise for cJSON, the whole text so changed
 * is in `out` (empty before; empty after: the text is good as it is).
 */
bool psp_json_check(const char *text, size_t len, psp_buf *out, psp_json_fault *fault);

/** How long the JSON number at `text` is; 0: there is none. */
size_t psp_json_number_length(const char *text, size_t len);

#endif
