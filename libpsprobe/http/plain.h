/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_PLAIN_H
#define PSP_HTTP_PLAIN_H
/**
 * @file
 * Requests to this machine, and to bare addresses that no proxy may see, in
 * plain HTTP/1.1: emulators, the stand-in, a prober next door, the metadata
 * server. What curl does for a request takes it 10 to 40 microseconds, which is
 * much where an answer takes 50; here a request is one copy and one send, by
 * the thread that asks. Everything else goes through curl.
 */
#include "http/http.h"
#include "http/loop.h"

typedef struct psp_plain psp_plain;
/** A server, by the authority of its URL. */
typedef struct psp_plain_host psp_plain_host;

typedef struct psp_plain_options {
  psp_loop loop;
  const char *user_agent; /**< borrowed for the engine's life */
  int64_t connect_timeout_ns;
  const psprobe_logger *logger; /**< the same */
} psp_plain_options;

/** NULL: no memory or file descriptors. */
psp_plain *psp_plain_new(const psp_plain_options *options);
void psp_plain_free(psp_plain *plain); /**< after the I/O thread has ended */

/** The host of a request that belongs here; NULL: it is curl's. */
psp_plain_host *psp_plain_find_host(psp_plain *plain, const psp_http_request *request);
/** As the transport's. Ids have their highest bit set. */
psprobe_code psp_plain_send(psp_plain *plain, psp_plain_host *host, const psp_http_request *request,
                            psp_http_done *done, void *arg, uint64_t *id, psprobe_error *error);
void psp_plain_cancel(psp_plain *plain, uint64_t id);
/** No more requests; those that there are end with CANCELLED in the next psp_plain_run. */
void psp_plain_close(psp_plain *plain);

/** On the I/O thread, after a wake-up: sees to what other threads have left to it. */
void psp_plain_run(psp_plain *plain);
/** On the I/O thread, after each batch of events. */
void psp_plain_sweep(psp_plain *plain);
bool psp_plain_is_over(psp_plain *plain); /**< closed, and every request has ended */

#define PSP_PLAIN_ID ((uint64_t)1 << 63)

#endif
