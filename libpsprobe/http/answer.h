/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_ANSWER_H
#define PSP_HTTP_ANSWER_H
/**
 * @file
 * Reading an HTTP/1 answer from bytes as they come (RFC 9112). Pure.
 *
 * Bytes are added to `in`. Once the head is whole it moves to a buffer of its own, and the body is
 * put together in `in`, in place.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/http.h"

typedef enum psp_http_answer_state {
  PSP_ANSWER_MORE,
  PSP_ANSWER_DONE,
  PSP_ANSWER_BROKEN,    /**< `why` says how */
  PSP_ANSWER_TOO_LARGE, /**< head or body */
  PSP_ANSWER_NO_MEMORY
} psp_http_answer_state;

typedef enum psp_http_answer_framing {
  PSP_BODY_NONE,
  PSP_BODY_LENGTH,
  PSP_BODY_CHUNKED,
  PSP_BODY_TO_THE_END
} psp_http_answer_framing;

/** Zeroed at first, then used for any number of answers; psp_http_answer_free frees its memory. */
typedef struct psp_http_answer {
  psp_buf in, head;
  int status;
  bool keep_alive; /**< once done: the connection is good for another request */
  const char *why;
  psp_header *headers; /**< names in lower case; in `head` */
  size_t header_count, header_capacity;

  bool to_head; /* it answers HEAD */
  bool head_done;
  unsigned interim; /* answers that came before the one that counts */
  psp_http_answer_framing framing;
  size_t max_body;
  size_t scanned;  /* of the head: where the line that is not whole begins */
  size_t body_len; /* chunks: what is decoded, at the front of `in` */
  size_t raw;      /* chunks: where what is not decoded begins */
  uint64_t left;   /* of the present chunk, or of the whole body */
  bool after_data; /* chunks: a line break must come */
  bool trailers;
} psp_http_answer;

void psp_http_answer_begin(psp_http_answer *answer, bool to_head, size_t max_body);
/** After bytes were added to `in`. */
psp_http_answer_state psp_http_answer_parse(psp_http_answer *answer);
/** After the connection has ended: DONE where that ends the body, else BROKEN. */
psp_http_answer_state psp_http_answer_end(psp_http_answer *answer);
/** Once done. Valid until the next begin. */
psp_http_response psp_http_answer_response(const psp_http_answer *answer);
void psp_http_answer_free(psp_http_answer *answer);

#endif
