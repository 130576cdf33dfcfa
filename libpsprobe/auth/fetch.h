/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_FETCH_H
#define PSP_AUTH_FETCH_H
/**
 * @file
 * Requests to token endpoints, metadata servers and key sets, from a thread that may wait: repeated
 * a few times where that can help, bounded, stoppable. The answer is kept as a secret.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

#include "auth/service.h"
#include "http/client/transport.h"
#include "os/clock.h"
#include "os/secret.h"

/** Connections, made when they are first needed. One fetch at a time. */
typedef struct psp_fetcher {
  char *ca_file; /**< its own; NULL: the system's */
  psprobe_logger logger;
  psp_clock clock;
  int64_t first_wait_ns; /**< the longest wait before the second attempt; 0: 0.1 s */
  int64_t patience_ns;   /**< the most for all attempts; 0: as each call's limits have it */
  /* Private: */
  psp_http *http;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stopping, flying;
  uint64_t id;
} psp_fetcher;

/** `http` (may be NULL) is taken, for tests. */
psprobe_code psp_fetcher_init(psp_fetcher *fetcher, const char *ca_file,
                              const psprobe_logger *logger, const psp_clock *clock, psp_http *http,
                              psprobe_error *error);
/** Ends the fetch under way, and every later one, with CANCELLED. Any thread. */
void psp_fetcher_stop(psp_fetcher *fetcher);
/** When no thread fetches any more. */
void psp_fetcher_clear(psp_fetcher *fetcher);

/** An answer of any status; valid when zeroed; psp_answer_free wipes. */
typedef struct psp_answer {
  int status;
  psp_secret body;
  int64_t retry_after_ns; /**< 0: not said */
  int64_t date_s;         /**< the server's clock; 0: not said */
  bool google_flavor;     /**< "Metadata-Flavor: Google", exactly */
  bool html;              /**< Content-Type says so */
  char cache_control[256], age[24];
} psp_answer;
void psp_answer_free(psp_answer *answer);

typedef struct psp_fetch_limits {
  unsigned attempts;   /**< 0: 4 */
  int64_t attempt_ns;  /**< 0: 10 s */
  int64_t total_ns;    /**< 0: 30 s */
  int64_t max_wait_ns; /**< between two attempts; 0: 5 s */
  size_t max_answer;   /**< 0: 1 MiB */
} psp_fetch_limits;

/**
 * Sends the request; again after 408, 429, 5xx and broken connections, with waits of at most 0.1,
 * 0.5 and 2.5 s at random, or longer ones that the server asks for.
 *
 * @param limits may be NULL
 * @return PSPROBE_OK with the last answer, of whatever status; else none came
 */
psprobe_code psp_fetch(psp_fetcher *fetcher, const psp_http_request *request,
                       const psp_fetch_limits *limits, psp_answer *answer, psprobe_error *error);

#endif
