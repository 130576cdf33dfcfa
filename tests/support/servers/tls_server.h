/* SPDX-License-Identifier: MIT */
#ifndef TEST_TLS_SERVER_H
#define TEST_TLS_SERVER_H
/**
 * @file
 * An HTTPS server on loopback with a certificate authority of its own, made
 * anew for each server.
 */
#include <stdbool.h>

#include "base/buf.h"

typedef struct tls_server tls_server;

/**
 * Answers one request: `head` is its request line and headers, `body` its
 * body, both zero-terminated. Adds a whole HTTP/1.1 answer to `answer`.
 * Called on the connection's thread.
 */
typedef void tls_answer(void *arg, const char *head, const char *body, psp_buf *answer);

/** `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Fails the test if it cannot. */
tls_server *tls_server_start(const char *names, tls_answer *answer, void *arg);
void tls_server_stop(tls_server *server); /**< removes the CA's file as well */
int tls_server_port(const tls_server *server);
/** The PEM file of the authority. */
const char *tls_server_ca_file(const tls_server *server);
/** Connections whose handshake was completed, by both sides' account. */
int tls_server_handshakes(tls_server *server);
/** True once a client has offered HTTP/2 (which this server does not speak) by ALPN. */
bool tls_server_was_offered_h2(tls_server *server);

#endif
