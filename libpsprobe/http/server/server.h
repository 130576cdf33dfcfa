/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_SERVER_H
#define PSP_HTTP_SERVER_SERVER_H
/**
 * @file
 * The HTTP server, on libmicrohttpd's epoll threads: routes, limits, answers
 * now or later.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

typedef struct psp_server psp_server;
/** One request and its answer. Valid until answered. */
typedef struct psp_exchange psp_exchange;

/**
 * Called once a request is there as a whole, on a server thread. It must
 * answer with one psp_exchange_reply, now or later, from any thread.
 */
typedef void psp_handler(void *arg, psp_exchange *exchange);

typedef struct psp_route {
  /** "POST"; "*": any (the handler tells them apart). A "GET" route also gets HEAD requests, whose
   * answers go without their body. OPTIONS is answered by the server where no route wants it. */
  const char *method;
  const char *pattern; /**< segments: literal, "{}" (any one but an empty one, decoded) or a last
                            "*" (the rest, raw, maybe empty) */
  psp_handler *handler;
  void *arg;
} psp_route;

/** Valid when zeroed but for listen and routes. */
typedef struct psp_server_options {
  const char *listen;      /**< "host:port", "[::1]:8080", ":8080" (all); port 0 picks one */
  const char *what;        /**< names the setting in errors, as "--listen"; NULL: "listen" */
  const psp_route *routes; /**< copied; the first that fits is taken */
  size_t route_count;
  /**
   * Asked as soon as the head of a request that may bring a body (no GET, no HEAD) and has a route
   * is there, before any of the body is taken: must psp_exchange_admit, or answer (then the body is
   * thrown away as it comes), now or later. NULL: all are admitted.
   */
  psp_handler *admit;
  void *admit_arg;
  size_t max_body; /**< unpacked; more is 413; 0: 1 MiB */
  bool packed;     /**< bodies stay as they come, whatever their Content-Encoding: for passing on */
  size_t max_held; /**< all bodies together; more is 503; 0: 64 MiB */
  /** 0: 1000; but no more than six sixteenths of the files that may be open. For one more, the
   * longest idle one is closed, or one whose request does not come to an end; one address gets
   * three quarters of them. */
  unsigned max_connections;
  unsigned threads; /**< 0: 2 */
  /**
   * Takes a connection that begins with HTTP/2's preface (RFC 9113, 3.4), of which nothing was
   * read, and which counts among the others until psp_server_part. On the acceptor's thread. NULL:
   * such a one is answered as any other. With this one that says nothing is not taken before it
   * does, or has been silent for some seconds.
   */
  void (*http2)(void *arg, psp_server *server, int fd);
  void *http2_arg;
  int64_t idle_timeout_ns;    /**< connections without traffic; 0: 120 s. A waiting exchange is not
                                   idle */
  int64_t request_timeout_ns; /**< for the rest of a request, after its first line; 0: 60 s */
  const psprobe_logger *logger;
} psp_server_options;

/** Listens. @return UNAVAILABLE for an address in use (named), INVALID_ARGUMENT for none */
psprobe_code psp_server_new(const psp_server_options *options, psp_server **server,
                            psprobe_error *error);
/**
 * Stops listening, waits for handlers that run and, for at most a second, for answers that are
 * being sent. Exchanges that nobody has answered yet are answered 503 here; whoever holds one may
 * (and must, to free it) still reply, which then goes nowhere; nothing else may be asked of it.
 * Streams end. Not from a handler.
 */
void psp_server_free(psp_server *server);
/** Takes no more connections; those that are open go on. */
void psp_server_quiesce(psp_server *server);

/** What became of connections. */
typedef struct psp_server_stats {
  uint64_t open;
  uint64_t refused;   /**< all places were busy */
  uint64_t made_room; /**< were closed, idle or half asked, for another */
  uint64_t overdue;   /**< were closed because they took too long */
  uint64_t starved;   /**< times that no file descriptor or memory was left */
  /** Those turned away with something to ask, or that may have had: refused; closed before an
   * answer for another, or because their request took too long; told that there was no room for
   * their body; and, at least one each time, those for whom no descriptor was left. */
  uint64_t untaken;
} psp_server_stats;
void psp_server_get_stats(psp_server *server, psp_server_stats *stats);
/** Whether anybody was `untaken` at or after monotonic `since_ns`. */
bool psp_server_has_missed(const psp_server *server, int64_t since_ns);

/** Of a connection that `http2` took: whether anybody waits for an answer on it. Else it may be
 * shut down to make room. A void * as others call it. */
void psp_server_set_busy(void *server, int fd, bool busy);
/** It is about to be closed. No later than psp_server_free. */
void psp_server_part(void *server, int fd);

int psp_server_port(const psp_server *server);
/** "http://host:port" under which this machine reaches it. The server's. */
const char *psp_server_url(const psp_server *server);

const char *psp_exchange_method(const psp_exchange *exchange);
const char *psp_exchange_path(const psp_exchange *exchange);      /**< raw, without the query */
const char *psp_exchange_raw_query(const psp_exchange *exchange); /**< as it came; "": none */
/** Segment `index` that a "{}" matched, or the rest a "*" matched; NULL: there is none. */
const char *psp_exchange_segment(const psp_exchange *exchange, unsigned index);
/** A query parameter, decoded, or NULL; `nth` for repeated ones. */
const char *psp_exchange_query(const psp_exchange *exchange, const char *name, unsigned nth);
const char *psp_exchange_header(const psp_exchange *exchange, const char *name);
/** How many header lines have that name: where more than one is an attack (Authorization). */
unsigned psp_exchange_header_count(const psp_exchange *exchange, const char *name);
/** Receives one header line; the texts live as long as the exchange. */
typedef void psp_exchange_header_each(void *arg, const char *name, const char *value);
/** Every header line, in order. */
void psp_exchange_headers(const psp_exchange *exchange, psp_exchange_header_each *each, void *arg);
/** Never NULL. One that came with Content-Encoding: gzip is unpacked (unless `packed` says no), so
 * whoever passes it on leaves that header out. */
const char *psp_exchange_body(const psp_exchange *exchange, size_t *len);
/**
 * True when the client of an exchange that waits has closed its connection: an answer would reach
 * nobody. One system call. A client that only shut down its sending side counts as gone.
 */
bool psp_exchange_is_gone(const psp_exchange *exchange);
/** CLOCK_MONOTONIC as the request's first bytes were parsed: the first thing the server did. */
int64_t psp_exchange_received_ns(const psp_exchange *exchange);

/** From `admit`, or later: the body may be taken, and the handler is called when it is
 * there. Nothing may be asked of the exchange after it. */
void psp_exchange_admit(psp_exchange *exchange);

/** Adds a header to the answer to come. Without memory for it the connection is closed instead of
 * the answer. */
void psp_exchange_set_header(psp_exchange *exchange, const char *name, const char *value);
/** Answers, once; the exchange is gone. `type` NULL: no Content-Type. The body is copied. */
void psp_exchange_reply(psp_exchange *exchange, int status, const char *type, const char *body,
                        size_t len);
/** {"error":{"code":STATUS,"message":…,"status":…}} as Google writes it. */
void psp_exchange_reply_error(psp_exchange *exchange, int status, psprobe_code code,
                              const char *message);

/** An answer made once and given many times, for the timing path: giving it allocates nothing of
 * ours. It carries no header of psp_exchange_set_header. Free it after the server. */
typedef struct psp_reply psp_reply;
psp_reply *psp_reply_new(int status, const char *type, const char *body, size_t len);
void psp_reply_free(psp_reply *reply);
void psp_exchange_reply_shared(psp_exchange *exchange, psp_reply *reply);

/**
 * An answer that goes on (Server-Sent Events): bytes are appended by any thread and sent as the
 * client takes them. While there is nothing to send it costs no CPU.
 */
typedef struct psp_stream psp_stream;
/**
 * Answers with a body that is yet to come; the exchange is gone. The stream is the caller's, to
 * end with psp_stream_free, before or after the server. NULL: no memory; the connection is closed.
 */
psp_stream *psp_exchange_stream_begin(psp_exchange *exchange, int status, const char *type);
/**
 * Copies `len` bytes to be sent. Never blocks.
 * @return false when the client has gone, or takes so little that more than 1 MiB would wait for it
 *         (it is dropped); the stream is of no more use then
 */
bool psp_stream_append(psp_stream *stream, const void *data, size_t len);
/** True once an append would fail. */
bool psp_stream_is_gone(psp_stream *stream);
/** Ends the answer after what was appended. NULL is fine. */
void psp_stream_free(psp_stream *stream);

#endif
