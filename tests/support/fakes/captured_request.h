/* SPDX-License-Identifier: MIT */
#ifndef TEST_CAPTURED_REQUEST_H
#define TEST_CAPTURED_REQUEST_H
/** @file Requests that we send, compared field by field with those that were captured from Google's
 * own library. A difference fails the test. */
#include <stdint.h>

#include "base/json.h"
#include "http/client/transport.h"

/** A capture's name and time, and where we differ from it on purpose: `field` of the body has
 * `value`, or is not there (NULL). */
typedef struct captured_flow {
  const char *name, *field, *value;
  int64_t wall_s;
} captured_flow;

/** A member of the capture, which must be there. */
const psp_json *captured_get(const psp_json *object, const char *name);
psp_json *captured_parse(const char *text);
/** As JSON text, to free(). */
char *captured_text(const psp_json *json);

/** A token that our test key signed, with the claims of `decoded`. */
void captured_check_jwt(const captured_flow *f, const char *jwt, const psp_json *decoded);
void captured_check_request(const captured_flow *f, const psp_http_request *sent,
                            const psp_json *captured);

#endif
