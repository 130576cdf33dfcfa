/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_TRANSPORT_H
#define TEST_FAKE_TRANSPORT_H
/**
 * @file
 * A scripted HTTP transport: the test says which requests will come and what
 * each is answered; nothing touches a socket.
 *
 *     psp_http *http;
 *     fake_transport *fake = fake_transport_new(&http);
 *     fake_call *call = fake_expect(fake, "POST", "http://host/v1/projects/p*");
 *     fake_reply(call, 200, NULL, "{\"messageIds\":[\"1\"]}");
 *     … what is under test, with `http` …
 *     assert_string_equal(fake_request_header(fake_request(call, 0), "content-type"), "…");
 *     psp_http_free(http);
 *     fake_transport_free(fake);
 *
 * Answers are delivered by a thread of the fake's, as the real client's come
 * on its I/O thread. A request meets the first expectation that fits and has
 * not had all its requests yet. One that meets none gets INTERNAL at once, and
 * fake_transport_free fails the test. Requests' timeouts are only recorded:
 * say fake_fail(call, PSPROBE_DEADLINE_EXCEEDED, …) instead of waiting.
 */
#include <stdbool.h>
#include <stddef.h>

#include "http/client/transport.h"

typedef struct fake_transport fake_transport;
/** One expectation. The fake's. */
typedef struct fake_call fake_call;

/** Makes the fake and an HTTP client over it, which the code under test may free. */
fake_transport *fake_transport_new(psp_http **http);
/**
 * Fails the test if an expected request did not come or an unexpected one did;
 * frees. Not before psp_http_free.
 */
void fake_transport_free(fake_transport *fake);
/** From now on a request must fit the first expectation that is not met yet. */
void fake_in_order(fake_transport *fake);
/** Requests that came so far, expected or not. */
unsigned fake_request_count(fake_transport *fake);

/** Expects one request. In `url` a "*" stands for any characters. */
fake_call *fake_expect(fake_transport *fake, const char *method, const char *url);
/** Expects `times` of them; 0: any number, also none. @return call */
fake_call *fake_times(fake_call *call, unsigned times);

/**
 * How it is answered: at once when said before the request comes; a request
 * without an answer waits until one is said. `headers`: "name: value" lines,
 * each with a newline at its end or none at the last; NULL: none.
 */
void fake_reply(fake_call *call, int status, const char *headers, const char *body);
void fake_reply_bytes(fake_call *call, int status, const char *headers, const void *body,
                      size_t len);
/** No answer but an error of this code. */
void fake_fail(fake_call *call, psprobe_code code, const char *message);
/**
 * Answers by a function, called on the fake's thread with its lock not held.
 * It sets `status` (200 before) and adds to `body`; `headers` as in fake_reply.
 */
typedef struct fake_answer {
  int status;
  const char *headers;
  psp_buf body;
} fake_answer;
typedef void fake_handler(void *arg, const psp_http_request *request, fake_answer *answer);
void fake_handle(fake_call *call, fake_handler *handler, void *arg);

/** Waits until `count` requests have met it; fails the test after 10 s. */
void fake_wait(fake_call *call, unsigned count);
/** How many met it; how many of them were cancelled. */
unsigned fake_count(fake_call *call);
unsigned fake_cancelled(fake_call *call);
/**
 * The `nth` request that met it (from 0); fails the test when there is none. A copy, valid until
 * fake_transport_free; its body is zero-terminated and never NULL.
 */
const psp_http_request *fake_request(fake_call *call, unsigned nth);
/** A header of it by name, in any case; NULL: none. */
const char *fake_request_header(const psp_http_request *request, const char *name);

#endif
