/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_LISTEN_H
#define PSP_HTTP_SERVER_LISTEN_H
/** @file The socket that a server listens on. */
#include <stdbool.h>

#include <psprobe/error.h>

#define PSP_LISTEN_HOST 254 /* as long as a name in the DNS can be, and a zero */

typedef struct psp_listen_address {
  char host[PSP_LISTEN_HOST]; /**< "": every address */
  int port;                   /**< -1: none is named */
} psp_listen_address;

/** What is wrong with an address whose port nobody names. */
#define PSP_LISTEN_NO_PORT "needs a port, as in 127.0.0.1:8080"

/** Reads "host:port", "[::1]:8080", ":8080", or "8080", which is the same; also a host alone. Pure.
 * `why` receives the rule that `text` breaks. */
bool psp_listen_parse(const char *text, psp_listen_address *address, const char **why);

#define PSP_LISTEN_URL 80

/**
 * Opens the socket, non-blocking.
 * @param what names the setting in errors
 * @param url  "http://host:port" under which this machine reaches it
 * @return INVALID_ARGUMENT (no such address), UNAVAILABLE (in use), PERMISSION_DENIED
 */
psprobe_code psp_listen(const char *text, const char *what, int *fd, int *port,
                        char url[PSP_LISTEN_URL], psprobe_error *error);

/** From now on connections are taken once they say something, or after some seconds (tcp(7),
 * TCP_DEFER_ACCEPT). */
void psp_listen_for_words(int fd);

#endif
