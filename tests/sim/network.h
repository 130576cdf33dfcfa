/* SPDX-License-Identifier: MIT */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H
/**
 * @file
 * The network of the world: linked in the place of the HTTP client's curl and of the whole HTTP
 * server. A request is carried to whoever serves at its address, and the answer back, as late, as
 * often or as little as the weather has it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/client/transport.h"
#include "http/server/server.h"

/** Machines. */
enum { SIM_GOOGLE, SIM_FUNCTION, SIM_SERVICE, SIM_PROBER, SIM_WORLD };

/** A request on its way. */
typedef struct sim_call {
  struct sim_call *next; /* among those under way */
  uint64_t id;
  unsigned from, from_life; /* the machine that asks */
  const void *http;
  char *method, *url, *body;
  size_t body_len;
  psp_header *headers;
  size_t header_count;
  psp_http_done *done;
  void *arg;
  bool over; /* `done` was called, or is about to be */
  unsigned holders;
  int64_t back_ns; /* how long its answer takes; -1: it is lost */
  void *note;      /* the weather's, of what it does to the answer */
} sim_call;

/** What the weather makes of a request. */
typedef struct sim_fate {
  int64_t there_ns;  /**< how long it takes; -1: it is lost */
  int64_t back_ns;   /**< likewise its answer */
  int64_t again_ns;  /**< when it comes a second time; -1: it does not */
  int status;        /**< something on the way answers in the server's place; 0: nothing */
  const char *body;  /**< … with that */
  const char *retry; /**< … and that as Retry-After; NULL: none */
} sim_fate;

/** What follows the address in its URL. */
const char *sim_call_path(const sim_call *call);
/** For a new world. */
void sim_network_begin(void);
/** What a machine that is gone had of the network. */
void sim_network_forget(unsigned machine);
/** The machine that serves at a request's address now; -1: none. */
int sim_serves(const char *url);

/** Answers a call: `headers` are in lower case, and copied. */
void sim_call_answer(sim_call *call, int status, const psp_header *headers, size_t count,
                     const char *body, size_t len);
void sim_call_hold(sim_call *call);
void sim_call_let_go(sim_call *call);
/** Brings a request to whoever serves it, now. */
void sim_call_arrive(sim_call *call, bool again);

#endif
