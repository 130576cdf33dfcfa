/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_JSON_H
#define PSP_BASE_JSON_H
/**
 * @file
 * JSON: reading (cJSON, guarded) and writing (straight into a buffer).
 *
 * cJSON's texts end at a zero byte, its parser recurses and takes much that is
 * no JSON, so before it sees a byte the reader checks grammar, UTF-8 and depth
 * (json_check.h) and turns \u0000 into C0 80, a form that no valid UTF-8
 * holds; psp_json_text turns it back. Numbers keep their
 * spelling, so that int64 values stay exact. cJSON's own header is included in json.c alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "base/buf.h"
#include "base/json_check.h"

/** A parsed document owns all its parts; a part is valid as long as it. */
typedef struct psp_json psp_json;

/**
 * Parses `len` bytes that are one JSON value and white space.
 * @param what names the text in the error ("pull answer")
 * @return PSPROBE_OK, or INVALID_ARGUMENT with the byte where it went wrong
 */
psprobe_code psp_json_parse(const char *text, size_t len, const char *what, psp_json **json,
                            psprobe_error *error);
void psp_json_free(psp_json *json); /**< the document, not a part; NULL is fine */

/* Every function takes a NULL json as a missing one. */
bool psp_json_is_object(const psp_json *json);
bool psp_json_is_array(const psp_json *json);
bool psp_json_is_string(const psp_json *json);
bool psp_json_is_number(const psp_json *json);
bool psp_json_is_bool(const psp_json *json);
bool psp_json_is_null(const psp_json *json); /**< a literal null, not a missing one */

/** Member `key` (case counts; the last of doubles), or NULL. */
const psp_json *psp_json_get(const psp_json *object, const char *key);
/** The same under the first of two spellings that is there (camelCase, snake_case). */
const psp_json *psp_json_get2(const psp_json *object, const char *key, const char *other);
/** Members of an object or items of an array. Walk with first/next, not by index. */
size_t psp_json_count(const psp_json *json);
const psp_json *psp_json_first(const psp_json *json);
const psp_json *psp_json_next(const psp_json *item);
/** A member's name; "" of an array's item, as a stranger may send one in an object's place. */
const char *psp_json_key(const psp_json *member);

/** A string without zero bytes, or NULL (missing, other type, or with zero bytes). As long as the
 * document. */
const char *psp_json_string(const psp_json *json);
/** Any string, its bytes added to `out`. False: no string. */
bool psp_json_text(const psp_json *json, psp_buf *out);
/** An integer, as a number or as decimal text (proto3 JSON). False: neither, or out of range. */
bool psp_json_int64(const psp_json *json, int64_t *out);
/** A number, or text that proto3 JSON takes for a double ("1.5", "NaN", "Infinity"). */
bool psp_json_double(const psp_json *json, double *out);
bool psp_json_bool(const psp_json *json, bool *out);

/**
 * Writes JSON into `buf`. Zeroed but for buf: compact. Commas and colons come
 * by themselves; bytes that are no UTF-8 become U+FFFD; nested deeper than
 * `kind` is long sets buf->failed.
 */
typedef struct psp_json_writer {
  psp_buf *buf;
  bool pretty;       /**< as Google's servers print: two spaces, "[{" and "}, {" on one line,
                         "1.0E7", a newline at the end */
  bool escape_slash; /**< "\/", as Google's emulators do in error messages */
  int depth;
  bool comma, after_key;
  unsigned char kind[PSP_JSON_DEPTH + 8];
} psp_json_writer;

void psp_json_begin_object(psp_json_writer *w);
void psp_json_end_object(psp_json_writer *w);
void psp_json_begin_array(psp_json_writer *w);
void psp_json_end_array(psp_json_writer *w);
void psp_json_put_key(psp_json_writer *w, const char *key);
void psp_json_put_string(psp_json_writer *w, const char *text); /**< NULL writes null */
/** A member of an object; none where there is no text. */
void psp_json_put_member(psp_json_writer *w, const char *name, const char *text);
void psp_json_put_int64_member(psp_json_writer *w, const char *name, int64_t number);
void psp_json_put_bool_member(psp_json_writer *w, const char *name, bool value);
void psp_json_begin_object_member(psp_json_writer *w, const char *name);
void psp_json_begin_array_member(psp_json_writer *w, const char *name);
void psp_json_put_text(psp_json_writer *w, const char *text, size_t len); /**< zero bytes allowed */
void psp_json_put_base64(psp_json_writer *w, const void *data, size_t len);
void psp_json_put_int64(psp_json_writer *w, int64_t value); /**< as a number */
/** The number, or null where it is not there: 0 would be another. */
void psp_json_put_known(psp_json_writer *w, bool there, int64_t value);
void psp_json_put_int64_text(psp_json_writer *w, int64_t value); /**< as text, as proto3 does */
/** Shortest form that reads back the same; NaN and infinities as text, as proto3 does. */
void psp_json_put_double(psp_json_writer *w, double value);
void psp_json_put_bool(psp_json_writer *w, bool value);
void psp_json_put_null(psp_json_writer *w);
/** A value that is JSON already. */
void psp_json_put_raw(psp_json_writer *w, const char *json, size_t len);
/** A part of a parsed document, written out again. */
void psp_json_put_json(psp_json_writer *w, const psp_json *json);
/** {"error":{"code":404,"message":"…","status":"NOT_FOUND"}} as Google's APIs answer
 * (https://cloud.google.com/apis/design/errors#http_mapping). `message` NULL: without one. */
void psp_json_put_error(psp_json_writer *w, int http_status, psprobe_code code,
                        const char *message);
/** The same without its two ends, for what is to follow in the inner object. */
void psp_json_begin_error(psp_json_writer *w, int http_status, psprobe_code code,
                          const char *message);

#endif
