/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_JSON_VIEW_H
#define PSP_BASE_JSON_VIEW_H
/**
 * @file
 * JSON that decides about trust, read where it lies: a strict check of the whole text first, then
 * views of its parts. Nothing is copied or allocated, so no secret is left behind in a parser's
 * memory, and checker and reader cannot disagree about a text, being one.
 *
 * Strict means: RFC 8259 and no more; UTF-8 without BOM; no control characters and no \u0000 in
 * strings (C strings end there); no lone surrogates; at most PSP_VIEW_DEPTH levels; in the top
 * object no name twice, compared after unescaping, and at most PSP_VIEW_MEMBERS members.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_VIEW_DEPTH   32
#define PSP_VIEW_MEMBERS 64

typedef enum psp_view_type {
  PSP_VIEW_NONE = 0, /**< not there */
  PSP_VIEW_OBJECT,
  PSP_VIEW_ARRAY,
  PSP_VIEW_STRING,
  PSP_VIEW_NUMBER,
  PSP_VIEW_TRUE,
  PSP_VIEW_FALSE,
  PSP_VIEW_NULL
} psp_view_type;

/** A value within a checked text, as written; valid as long as that. Zeroed: not there. */
typedef struct psp_view {
  psp_view_type type;
  const char *at;
  size_t len;
} psp_view;

/**
 * Checks that `text` is one object and nothing else but white space.
 * @param why on failure receives the reason, a constant
 */
bool psp_view_object(const char *text, size_t len, psp_view *object, const char **why);

/** Member `name` (exact case; of a nested object the first), or NONE. NONE and others: NONE. */
psp_view psp_view_get(psp_view object, const char *name);

/** Walks over the items of an array; a walk begins with a zeroed cursor. */
typedef struct psp_view_cursor {
  const char *at;
} psp_view_cursor;
bool psp_view_next(psp_view array, psp_view_cursor *cursor, psp_view *item);
/** The same over an object's members. */
bool psp_view_next_member(psp_view object, psp_view_cursor *cursor, psp_view *name,
                          psp_view *value);

/** A string equal to `text`, byte for byte after unescaping. */
bool psp_view_equals(psp_view string, const char *text);
/** Unescapes a string into `out`, zero-terminated. False: no string, or it does not fit. */
bool psp_view_string(psp_view string, char *out, size_t size);
/** The same into a new allocation, for what is no secret. NULL: no string, or no memory. */
char *psp_view_strdup(psp_view string);
/** The unescaped length of a string; 0 for others. */
size_t psp_view_length(psp_view string);
/** A number, infinite when it is beyond a double. */
bool psp_view_number(psp_view number, double *out);
/** A whole number in range, as a number or as digits in a string. */
bool psp_view_int64(psp_view value, int64_t *out);

#endif
