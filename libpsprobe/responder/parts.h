/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESPONDER_PARTS_H
#define PSP_RESPONDER_PARTS_H
/**
 * @file
 * What the parts of a responder share. Answering is asynchronous all the way
 * (the client's I/O thread, and a timers' thread for second attempts), so that
 * one server thread serves any number of events.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <psprobe/responder.h>

#include "auth/credentials.h"
#include "auth/verify/verifier.h"
#include "client/call.h"
#include "firestore/service.h"
#include "functions/function.h"
#include "os/timer.h"
#include "responder/facts.h"

/** When something that may happen for each message was logged last. */
typedef struct psp_log_limit {
  _Atomic int64_t next_ns;
} psp_log_limit;

/** What a responder that pulls keeps beside (responder_pull.c). */
typedef struct psp_pulling psp_pulling;

struct psprobe_responder {
  psprobe_client *client;
  psprobe_logger logger;
  char *source;
  char *prefix; /**< "http://host:port/source/"; NULL when direct */
  char *collection;
  psp_firestore_root root; /**< of the direct form */
  int64_t timeout_ns;
  psp_timers *timers;
  psprobe_credentials *credentials; /**< the client's, for ID tokens; NULL: answers carry none */
  psp_token_slot *token;            /**< of the prober's audience */
  psprobe_verifier *verifier;       /**< of pushes; NULL: everybody's are taken */
  psprobe_function *function;       /**< NULL until it listens */
  psp_pulling *pulling;             /**< NULL until it pulls */

  psp_instance instance;
  _Atomic uint64_t answered, rejected, not_wanted, failed;
  psp_log_limit log_rejected, log_not_wanted, log_failed;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned active; /**< messages under way */
  uint64_t limit;  /**< 0: none */
  uint64_t taken;  /**< answered, or under way */
  bool closing, stopped;
  psp_last_exchange last_exchange;
};

/** What became of a message; as psprobe_responder_answer returns it. `error` is NULL with OK. */
typedef void psp_answered(void *arg, psprobe_code code, const psprobe_error *error);

/**
 * Begins to answer a message. `done` comes exactly once, maybe before this
 * returns, on any thread; it must be short and must not block.
 * @param number of this instance's events; 0: it counts for the next
 */
void psp_responder_begin(psprobe_responder *responder, const psprobe_message *message,
                         int64_t received_ns, uint64_t number, psp_answered *done, void *arg);

/** One message under way. A form of answering puts it at the head of what it needs itself. */
typedef struct psp_answering {
  psprobe_responder *responder;
  psp_answered *done;
  void *arg;
} psp_answering;
/** Ends it: counts, logs, calls `done`. `error` may be NULL with OK. The caller frees. */
void psp_answering_end(const psp_answering *answering, psprobe_code code,
                       const psprobe_error *error);

/** POSTs to the prober; begins or fails, and ends what it began. */
psprobe_code psp_answer_by_post(const psp_answering *answering, const char *probe_id,
                                const psp_event_facts *facts, psprobe_error *error);
/** Gets ready for answers that carry an ID token: fetches the first. Blocks. */
psprobe_code psp_responder_show_tokens(psprobe_responder *responder, const char *prober,
                                       psprobe_error *error);
/** Writes a document; likewise. */
psprobe_code psp_answer_by_document(const psp_answering *answering, const psprobe_message *message,
                                    psprobe_error *error);

void psp_pulling_free(psp_pulling *pulling);

/** The probe that a message is: an attribute names it, or its data, {"probe_id":"…"}, where a push
 * brought no attributes. False: it is none. */
bool psp_responder_probe_id(const psprobe_message *message, char id[PSPROBE_ID_SIZE]);

/** True once in `every_ns`; 0: once at all. */
bool psp_log_limit_pass(psp_log_limit *limit, int64_t every_ns);

#endif
