/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_TLS_H
#define PSP_GRPC_TLS_H
/** @file TLS above a socket, for HTTP/2 (ALPN h2), of a client that believes nobody unproven. */
#include <psprobe/error.h>

#include "grpc/link.h"

typedef struct psp_tls psp_tls;

/**
 * Whom to believe, read once.
 * @param ca_file PEM; NULL: the system's
 * @return OK, INVALID_ARGUMENT (it cannot be read), RESOURCE_EXHAUSTED
 */
psprobe_code psp_tls_new(const char *ca_file, psp_tls **tls, psprobe_error *error);
void psp_tls_free(psp_tls *tls); /**< NULL is fine */
/** Takes the socket, also on failure. The handshake comes with the first read or write.
 * @param host whose certificate it must be: a name, or an address without brackets
 * @return NULL: no memory */
psp_link *psp_tls_link(psp_tls *tls, int fd, const char *host);

#endif
