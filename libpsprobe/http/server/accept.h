/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_ACCEPT_H
#define PSP_HTTP_SERVER_ACCEPT_H
/**
 * @file
 * The thread that takes connections, makes room for them and sees to it that
 * nobody takes too long. libmicrohttpd never sees the listening socket: two of
 * its threads would take it out of one epoll set when it is quiesced, which it
 * answers with abort(), and it can neither make room nor say what it refused.
 */
#include "http/server/parts.h"

/** False: no descriptors or threads. */
bool psp_accept_start(psp_server *server);
/** Takes no more connections; waits for its thread. More than once is fine. */
void psp_accept_stop(psp_server *server);

#endif
