/* SPDX-License-Identifier: MIT */
#ifndef TEST_RAW_SERVER_H
#define TEST_RAW_SERVER_H
/**
 * @file
 * A server on loopback that does with each connection what the test says, in a
 * thread of its own for each.
 */
#include <stdatomic.h>

typedef struct raw_server raw_server;

/** Talks on `fd`, the `nth` connection (from 0); it is closed when this returns. */
typedef void raw_talk(void *arg, int fd, int nth);

raw_server *raw_server_start(raw_talk *talk, void *arg);
/** Closes the listener, shuts every connection down, waits for the threads. */
void raw_server_stop(raw_server *server);
int raw_server_port(const raw_server *server);
/** Connections accepted so far. */
int raw_server_count(raw_server *server);

#endif
