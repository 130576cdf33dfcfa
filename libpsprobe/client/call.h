/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLIENT_CALL_H
#define PSP_CLIENT_CALL_H
/**
 * @file
 * One call of a Google API: endpoint, credentials, attempts, and what the
 * answer means. Pure codecs make its body and read its answer.
 */
#include <pthread.h>
#include <stdint.h>

#include <psprobe/client.h>

#include "auth/service.h"
#include "base/buf.h"
#include "http/client/retry.h"
#include "http/client/transport.h"

/** All borrowed until the function that takes it returns. */
typedef struct psp_call {
  psp_service service;
  const char *method;
  const char *path; /**< with query, percent-encoded, "/v1/projects/…" */
  const void *body; /**< JSON, sent as application/json; NULL: none */
  size_t body_len;
  int64_t attempt_ns;  /**< deadline of one attempt; 0: 60 s */
  int64_t total_ns;    /**< of all; 0: the client's timeout */
  size_t max_response; /**< 0: 32 MiB */
  psp_retry_policy retry;
  bool once;           /**< an attempt is never sent twice in silence: psp_http_request */
  psp_http_part *part; /**< takes the answer as it comes: psp_http_request. No further attempt is
                            made once it took something */
  void *part_arg;
  const char *what; /**< for errors: "publish to topic probes" */
} psp_call;

/**
 * The answer of a call that succeeded (2xx), or NULL and the error. Once, on the I/O thread; the
 * error of a call that ended between attempts comes on the timers' or the credentials' thread.
 * Never from within psp_call_cancel. Must be short and must not block.
 */
typedef void psp_call_done(void *arg, const psp_http_response *response,
                           const psprobe_error *error);

/** A call under way. */
typedef struct psp_pending psp_pending;

/**
 * Begins. `pending` (may be NULL) receives a handle for psp_call_cancel, valid
 * until `done` returns.
 * @return PSPROBE_OK: `done` comes exactly once (maybe before this returns); else it does not
 */
psprobe_code psp_call_start(psprobe_client *client, const psp_call *call, psp_call_done *done,
                            void *arg, psp_pending **pending, psprobe_error *error);
/** `done` comes soon, with CANCELLED unless the answer was faster. */
void psp_call_cancel(psprobe_client *client, psp_pending *pending);
/** The part of the answer that was not taken comes again. */
void psp_call_resume(psprobe_client *client, psp_pending *pending);

/** The same, waiting; `body` (zeroed by the caller, freed by it) receives the answer's. */
psprobe_code psp_call_run(psprobe_client *client, const psp_call *call, psp_buf *body,
                          psprobe_error *error);

/** By which another thread calls off calls that are waited for, one after another. */
typedef struct psp_stopper {
  pthread_mutex_t lock;
  psprobe_client *client;
  psp_pending *pending; /* NULL: nobody waits */
  bool stopped, over;   /* for ever; the present call is */
} psp_stopper;
void psp_stopper_init(psp_stopper *stopper);
void psp_stopper_destroy(psp_stopper *stopper);
/** The call that is waited for, and each later one, ends with CANCELLED. Any thread. */
void psp_stopper_stop(psp_stopper *stopper);
/** The call that is waited for goes on with the part that it could not hand over. Any thread. */
void psp_stopper_resume(psp_stopper *stopper);
/** psp_call_start of a call that can be called off from here until its `done` withdraws it, first
 * thing. `stopper` NULL: it cannot. */
psprobe_code psp_stopper_start(psp_stopper *stopper, psprobe_client *client, const psp_call *call,
                               psp_call_done *done, void *arg, psprobe_error *error);
void psp_stopper_withdraw(psp_stopper *stopper); /**< NULL is fine */
/** psp_call_run that psp_stopper_stop ends. */
psprobe_code psp_call_run_until(psprobe_client *client, const psp_call *call, psp_stopper *stopper,
                                psp_buf *body, psprobe_error *error);

/**
 * What an answer that is no 2xx means: Google's {"error":…} (also as the first
 * item of an array, with or without message and details), plain text, HTML or
 * nothing; only the first is from the service. Pure.
 */
psprobe_code psp_status_parse(int http_status, const char *body, size_t len, int64_t retry_after_ns,
                              const char *what, psprobe_error *error);

/** psprobe_client_new with connections that are there already, for tests. Takes `http`, also on
 * failure. */
psprobe_code psp_client_new_http(const psprobe_client_options *options, psp_http *http,
                                 psprobe_client **client, psprobe_error *error);

/** The client's HTTP connections, for calls to others than Google (the prober). */
psp_http *psp_client_http(psprobe_client *client);
/** The credentials of the calls; where those go to emulators, the ones that calls to others than
 * Google can use. Looked up when the first token is asked for. */
psprobe_credentials *psp_client_credentials(const psprobe_client *client);
/** Looks up the credentials that calls to Pub/Sub need, unless it is an emulator: before a call
 * whose time is short, since a metadata server that starts has patience of its own. Blocks: some 10
 * s. */
psprobe_code psp_client_find_credentials(psprobe_client *client, psprobe_error *error);
/** "(default)" or the database of the options. */
const char *psp_client_database(const psprobe_client *client);
/** Whether calls of it go to an emulator. */
bool psp_client_is_emulator(const psprobe_client *client, psp_service service);
/** Of a call that names none. */
int64_t psp_client_timeout(const psprobe_client *client);
const psprobe_logger *psp_client_logger(const psprobe_client *client);
/** Whether a project can be called so, at Google or at an emulator. Pure. */
psprobe_code psp_project_named(const char *text, psprobe_error *error);

#endif
