/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CURL_H
#define PSP_HTTP_CURL_H
/**
 * @file
 * Requests through libcurl: TLS, HTTP/2, names, proxies.
 *
 * Its sockets stand in the client's own epoll set (curl's multi_socket
 * interface), so that a hundred waiting long polls cost the next call nothing,
 * and so that more than one thread can drive curl: a thread that sends a
 * request hands it to curl itself when nobody else is driving, which writes it
 * to a warm connection at once, so that no other thread has to wake up for it.
 * When somebody is driving, that thread takes the request along before it
 * stops. Nobody ever waits for the drive lock but the I/O thread.
 */
#include "http/http.h"
#include "http/loop.h"

typedef struct psp_curl psp_curl;

typedef struct psp_curl_options {
  psp_loop loop;
  const char *ca_file, *user_agent; /**< borrowed for the engine's life */
  int64_t connect_timeout_ns;
  const psprobe_logger *logger; /**< the same */
} psp_curl_options;

/** NULL: no memory or file descriptors. */
psp_curl *psp_curl_new(const psp_curl_options *options);
void psp_curl_free(psp_curl *curl); /**< after the I/O thread has ended */

/** As the transport's. */
psprobe_code psp_curl_send(psp_curl *curl, const psp_http_request *request, psp_http_done *done,
                           void *arg, uint64_t *id, psprobe_error *error);
void psp_curl_cancel(psp_curl *curl, uint64_t id);
/** No more requests; those that there are end with CANCELLED in the next psp_curl_run. */
void psp_curl_close(psp_curl *curl);

typedef struct psp_curl_event {
  int fd;
  uint32_t events; /**< epoll's */
} psp_curl_event;

/** On the I/O thread: passes events on, sees to what was sent, calls callbacks. */
void psp_curl_run(psp_curl *curl, const psp_curl_event *events, size_t count);
/** On the I/O thread: its timer went off, so psp_curl_run is due. */
bool psp_curl_is_due(const psp_curl *curl);
bool psp_curl_is_over(psp_curl *curl); /**< closed, and every request has ended */

#endif
