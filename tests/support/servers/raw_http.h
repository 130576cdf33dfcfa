/* SPDX-License-Identifier: MIT */
#ifndef TEST_RAW_HTTP_H
#define TEST_RAW_HTTP_H
/**
 * @file
 * HTTP by hand over loopback sockets, for what a well-behaved client or server
 * never does. Every wait ends after thirty seconds, as a failed test.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

int raw_connect(int port);
void raw_send(int fd, const char *text);
void raw_send_bytes(int fd, const void *data, size_t len);

/** Valid when zeroed. */
typedef struct raw_answer {
  int status;
  psp_buf head; /**< status line and headers */
  psp_buf body; /**< chunks put together */
} raw_answer;

/** Reads one answer. False: the connection was closed before it was whole. */
bool raw_read(int fd, raw_answer *answer);
/** Reads only its head. */
bool raw_read_head(int fd, raw_answer *answer);
/** One chunk of a chunked body, added to `body`. False: it was the last, or the end. */
bool raw_read_chunk(int fd, raw_answer *answer);
/** The same for an answer to HEAD. */
bool raw_has_header(const raw_answer *answer, const char *line);
void raw_free(raw_answer *answer);
/** Sends `text`, reads the answer, returns its status; 0: none came. */
int raw_ask(int fd, const char *text, raw_answer *answer);
/** Waits until the other side has closed; what it still sends is dropped. */
bool raw_is_closed(int fd);
/** True when nothing comes for `ms`: for what must not happen. */
bool raw_is_silent(int fd, int ms);

/** A port on loopback where nobody listens while this socket is open: connecting to it is refused,
 * and no other program gets it. A server may listen there, with SO_REUSEADDR. */
int raw_hold(int *port);
/** A listening socket on loopback. */
int raw_listen(int *port);
int raw_accept(int listener);
/** Reads one request: head into `head`, body by Content-Length into `body`. False: closed. */
bool raw_read_request(int fd, psp_buf *head, psp_buf *body);

#endif
