/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_DIAL_H
#define PSP_HTTP_CLIENT_DIAL_H
/**
 * @file
 * A TCP connection to a host, for what does not speak HTTP/1: names, several addresses at once and
 * the environment's proxies (CONNECT; never for loopback) are curl's business, what goes over the
 * connection is not. One thread at a time.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

typedef struct psp_dial psp_dial;

typedef enum psp_dial_state { PSP_DIALING, PSP_DIALED, PSP_DIAL_FAILED } psp_dial_state;

/**
 * Begins.
 * @param target     "host:port", "[::1]:443"
 * @param tls        which proxy counts: https_proxy, else http_proxy; no_proxy in either case
 * @param timeout_ns at least 1 ms
 * @return OK; RESOURCE_EXHAUSTED; UNIMPLEMENTED (a proxy that wants TLS for itself)
 */
psprobe_code psp_dial_begin(const char *target, bool tls, int64_t timeout_ns, psp_dial **dial,
                            psprobe_error *error);
/**
 * Waits for it and, as poll(2) does, for others, whose `revents` it sets.
 * @param fd    receives the socket when it is DIALED: the caller's, close-on-exec
 * @param error when it FAILED: UNAVAILABLE, INVALID_ARGUMENT, RESOURCE_EXHAUSTED. Of no more use
 *              then but to be freed
 */
psp_dial_state psp_dial_wait(psp_dial *dial, struct pollfd *others, size_t count, int timeout_ms,
                             int *fd, psprobe_error *error);
/** Calls it off, where it goes on. NULL is fine. */
void psp_dial_free(psp_dial *dial);

#endif
