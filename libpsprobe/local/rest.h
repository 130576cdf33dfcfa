/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_REST_H
#define PSP_LOCAL_REST_H
/**
 * @file
 * What both REST services share: paths taken apart, answers and errors in the
 * form of Google's emulators.
 */
#include <stdbool.h>
#include <stddef.h>

#include <psprobe/error.h>

#include "base/buf.h"
#include "http/server/server.h"

#define PSP_LOCAL_BODY        (16 * 1024 * 1024) /* what Google's emulators take */
#define PSP_LOCAL_CONNECTIONS 4000

/**
 * A path: "/v1/a%2Fb%20c:verb" is v1, a and "b c:verb". As Google's emulators read it, it is
 * decoded as a whole, so that an encoded slash parts segments, and a verb is one only where a route
 * knows it: elsewhere ":verb" is the end of a name. Free with psp_rest_path_free.
 */
typedef struct psp_rest_path {
  char **segments; /**< decoded; at least one */
  size_t count;
  char *memory;
} psp_rest_path;

/** @return false: a broken escape, or no memory */
bool psp_rest_path_parse(const char *raw, psp_rest_path *path);
/** Whether it ends in ":verb"; any path does for NULL. */
bool psp_rest_path_has_verb(const psp_rest_path *path, const char *verb);
/** Takes ":verb" off its end; NULL, or another end: nothing. */
void psp_rest_path_cut_verb(psp_rest_path *path, const char *verb);
void psp_rest_path_free(psp_rest_path *path);
/** "a/b/c" of the segments from `first` up to `end`, to free(); NULL: no memory. */
char *psp_rest_path_join(const psp_rest_path *path, size_t first, size_t end);

/** Answers 200 with JSON; 500 if the buffer failed. Frees the buffer. */
void psp_rest_reply(psp_exchange *exchange, psp_buf *body);
void psp_rest_reply_empty(psp_exchange *exchange); /**< {} */
/** {"error":{…}} on one line, with `message` left out when it is NULL. */
void psp_rest_error(psp_exchange *exchange, psprobe_code code, const char *message);
/** The same, with one object more in its details. */
void psp_rest_error_with(psp_exchange *exchange, psprobe_code code, const char *message,
                         const psp_buf *detail);
/** 404 in plain text: no such route. */
void psp_rest_not_found(psp_exchange *exchange);
/** The body of such an error; `detail` is JSON, or NULL. Pure. */
void psp_rest_error_encode(psp_buf *out, psprobe_code code, const char *message,
                           const psp_buf *detail);

#endif
