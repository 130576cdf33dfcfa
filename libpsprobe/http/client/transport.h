/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_TRANSPORT_H
#define PSP_HTTP_CLIENT_TRANSPORT_H
/**
 * @file
 * The HTTP client: one I/O thread that drives a curl multi handle. Keep-alive,
 * HTTP/2 over TLS, no redirects, http and https only, the system's CA store,
 * proxies from the environment (never for loopback).
 *
 * A request that meets a kept connection which its server has closed, without a
 * byte of an answer, is sent once more on a new one, whatever its method: that
 * is curl's way, and from here nobody can tell whether the server had taken it.
 * One that must not be done twice says `once`.
 *
 * Behind it stands a transport, so that tests can put a fake in its place.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

#include "base/buf.h"

typedef struct psp_header {
  const char *name, *value;
} psp_header;

/**
 * Takes a part of an answer's body as it comes, on whatever thread drives the client just now: must
 * be short, may not block, and calls nothing of the client.
 * @return false: not now; the same part comes again after psp_http_resume
 */
typedef bool psp_http_part(void *arg, const char *data, size_t len);

/** A request; all borrowed until the call that takes it returns. */
typedef struct psp_http_request {
  const char *method; /**< "GET", "POST", … */
  const char *url;
  const psp_header *headers;
  size_t header_count;
  const void *body; /**< NULL: none. Content-Type is among the headers */
  bool body_kept;   /**< it stays as it is until `done` was called, and is not copied */
  size_t body_len;
  int64_t timeout_ns;  /**< this attempt, connecting included; 0: 60 s */
  size_t max_response; /**< bytes; 0: 32 MiB. More is an error */
  bool no_response; /**< the answer's body is thrown away, however long: its head is what counts */
  bool no_proxy;
  bool once;   /**< it is never sent twice; what fails after it was begun to be sent is UNKNOWN, not
                    UNAVAILABLE: the server may have done it */
  bool secret; /**< the answer holds a secret: wiped when it was handed over, as requests always are
                */
  psp_http_part *part; /**< takes the body of a 2xx answer, however long, which `done` gets without
                            it then; NULL: `done` gets it whole */
  void *part_arg;
} psp_http_request;

/** An answer. In a callback: borrowed until it returns. */
typedef struct psp_http_response {
  int status;
  const char *body; /**< zero-terminated; never NULL */
  size_t body_len;
  const psp_header *headers; /**< names in lower case */
  size_t header_count;
} psp_http_response;

/** The value of header `name` (lower case), or NULL. */
const char *psp_http_header(const psp_http_response *response, const char *name);

/** Whether psp_http_send takes such a header: a token as its name, no control character in its
 * value (RFC 9110, 5). */
bool psp_http_header_check(const char *name, const char *value);

/**
 * The outcome of a request, exactly once, on the I/O thread: must be short and
 * must not block. Any HTTP status is a response; `response` is NULL when there
 * was none, and `error` tells why (UNAVAILABLE: not reached or cut off; UNKNOWN: as `once` says;
 * DEADLINE_EXCEEDED; CANCELLED; RESOURCE_EXHAUSTED: too large;
 * UNAUTHENTICATED: TLS). The message names method, host and cause.
 */
typedef void psp_http_done(void *arg, const psp_http_response *response,
                           const psprobe_error *error);

typedef struct psp_http psp_http;

/** What a transport must do. Implementations: curl.c, and a fake in the tests. */
typedef struct psp_transport {
  /** Copies the request and begins. On PSPROBE_OK `done` is called exactly once, later. */
  psprobe_code (*send)(void *self, const psp_http_request *request, psp_http_done *done, void *arg,
                       uint64_t *id, psprobe_error *error);
  /** `done` comes soon, with CANCELLED, unless it has come or is coming. Unknown ids are fine. */
  void (*cancel)(void *self, uint64_t id);
  /** The part that was not taken comes again soon. Unknown ids are fine. */
  void (*resume)(void *self, uint64_t id);
  /** Cancels everything, waits for every `done`, frees. */
  void (*free)(void *self);
} psp_transport;

typedef struct psp_http_options {
  const char *ca_file;        /**< PEM; NULL: the system's */
  const char *user_agent;     /**< NULL: "psprobe/VERSION" */
  int64_t connect_timeout_ns; /**< 0: 10 s */
  const psprobe_logger *logger;
} psp_http_options;

/**
 * Starts libcurl, once for the process; psp_http_new does so too. For who makes clients later, on a
 * thread that ends: what OpenSSL keeps for the thread that starts it may stay behind.
 * @return whether libcurl is there
 */
bool psp_http_begin(void);
psprobe_code psp_http_new(const psp_http_options *options, psp_http **http, psprobe_error *error);
/** Takes `self` with its table (which must outlive it). For tests. */
psprobe_code psp_http_new_transport(const psp_transport *transport, void *self, psp_http **http,
                                    psprobe_error *error);
/** Cancels what is under way, and waits for its callbacks and for threads that are still within
 * psp_http_send or psp_http_cancel. NULL is fine. Not from a callback. */
void psp_http_free(psp_http *http);

/** Any thread. `id` (may be NULL) is for psp_http_cancel. On failure `done` is not called. */
psprobe_code psp_http_send(psp_http *http, const psp_http_request *request, psp_http_done *done,
                           void *arg, uint64_t *id, psprobe_error *error);
void psp_http_cancel(psp_http *http, uint64_t id);
/** After a part was not taken: it comes again. Any thread, but not from within the part. */
void psp_http_resume(psp_http *http, uint64_t id);

/** What psp_http_call receives; valid when zeroed; free with psp_http_result_free. */
typedef struct psp_http_result {
  int status;
  psp_buf body;
  int64_t retry_after_ns; /**< 0: not said */
  int64_t date_s;         /**< the Date header, Unix seconds; 0: none */
} psp_http_result;
void psp_http_result_free(psp_http_result *result);

/** The same, waiting. Not from a callback. */
psprobe_code psp_http_call(psp_http *http, const psp_http_request *request, psp_http_result *result,
                           psprobe_error *error);

#endif
