/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_JSON_CHECK_H
#define PSP_BASE_JSON_CHECK_H
/**
 * @file
 * The one grammar of JSON (RFC 8259, strictly): what a text must pass before either reader, json.h
 * or json_view.h, looks at it. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Firestore nests values 20 deep, three levels each, inside a request. */
#define PSP_JSON_DEPTH 96

/**
 * What cJSON cannot be told otherwise, in bytes that no valid UTF-8 holds. A table of the numbers
 * beside its tree would not spare it: a number of more than 63 characters ends its parser, and
 * \u0000 its texts.
 */
/** Stands for \u0000. */
#define PSP_JSON_ZERO "\xC0\x80"
/** Begins a string that was a number other than a short integer: cJSON would round it to a double
 * and forget how it was spelled. */
#define PSP_JSON_NUMBER "\xC0\x81"

/** What holds beside the grammar. */
typedef struct psp_json_rules {
  unsigned depth; /**< levels, at most PSP_JSON_DEPTH */
  bool object;    /**< the text is an object */
  bool no_zero;   /**< no \u0000 in strings */
} psp_json_rules;

/** Where and why a text is no JSON. */
typedef struct psp_json_fault {
  size_t at;
  const char *why;
} psp_json_fault;

/**
 * Checks that `len` bytes are one JSON value with white space, in valid UTF-8, without lone
 * surrogates, by the rules.
 * @param out may be NULL; where something must be put otherwise for cJSON, the whole text so
 *        changed (empty before; empty after: the text is good as it is)
 */
bool psp_json_check(const char *text, size_t len, const psp_json_rules *rules, psp_buf *out,
                    psp_json_fault *fault);

/** How long the JSON number at `text` is; 0: there is none. */
size_t psp_json_number_length(const char *text, size_t len);
/** The value of the JSON number at `text`, after which comes no further letter of a number;
 * infinite when it is beyond a double. */
double psp_json_number(const char *text);
/** The value of four hexadecimal digits, or -1. */
int psp_json_hex4(const char *digits);

#endif
