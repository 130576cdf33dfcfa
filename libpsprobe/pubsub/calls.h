/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_CALLS_H
#define PSP_PUBSUB_CALLS_H
/**
 * @file
 * A call about one topic or subscription: its URL, its name in errors, and
 * when it is tried again.
 *
 * What is tried again follows AIP-194: UNAVAILABLE alone, which says that the
 * call did not get through or was turned away. Google's own clients also
 * repeat a publish after DEADLINE_EXCEEDED, CANCELLED, INTERNAL and UNKNOWN
 * (client_config.json of @google-cloud/pubsub), where the message may be
 * stored already: it would be published twice, and the wait would be measured
 * as if it were Pub/Sub's. After UNAVAILABLE a second copy is unlikely and
 * harmless: receivers of an at-least-once service count copies anyway.
 * RESOURCE_EXHAUSTED (quota) is told to the caller, who alone can slow down.
 */
#include <psprobe/pubsub.h>

#include "base/buf.h"
#include "client/call.h"
#include "os/clock.h"
#include "pubsub/names.h"

/** Google's servers hold a pull for up to 90 s. */
#define PSP_PULL_NS (100 * PSP_SECOND_NS)

/** Where a call goes and what it is called in errors, found once; valid when zeroed. */
typedef struct psp_target {
  psp_buf full;   /**< its name */
  psp_buf path;   /**< by REST */
  psp_buf params; /**< by gRPC: x-goog-request-params */
  char what[128];
} psp_target;

/**
 * Resolves `name`, an id or in full. The project of an id is the client's, which can block on the
 * metadata server, once. Also after a failure: free with psp_target_free.
 * @param action for errors, as "publish to"; the kind and the name follow
 * @param verb   as ":publish"; "": none
 */
psprobe_code psp_target_init(psp_target *target, psprobe_client *client, psp_pubsub_kind kind,
                             const char *name, const char *verb, const char *action,
                             psprobe_error *error);
void psp_target_free(psp_target *target);

/** All borrowed until the function that takes it returns. */
typedef struct psp_pubsub_call {
  const char *action; /**< for errors, as "publish to"; the kind and the name follow */
  psp_pubsub_kind kind;
  const char *name;       /**< of the resource: an id, or in full */
  const char *method;     /**< NULL: "POST" */
  const char *verb;       /**< as ":publish"; NULL: none */
  const psp_buf *body;    /**< NULL: none */
  int64_t timeout_ns;     /**< of the attempts and of all; 0: the client's */
  psp_retry_policy retry; /**< one of those below */
} psp_pubsub_call;

/** Publish: 100 ms, four times longer each time, up to 60 s (Google's own figures). */
#define PSP_RETRY_PUBLISH \
  ((psp_retry_policy){.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .factor = 4})
/** Pull, acknowledge, modifyAckDeadline. */
#define PSP_RETRY_RECEIVE ((psp_retry_policy){.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE)})
/** Topics and subscriptions: five attempts in about two seconds, since somebody waits for it who
 * would rather know that nobody is there. */
#define PSP_RETRY_ADMIN \
  ((psp_retry_policy){.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .factor = 2, .max_attempts = 5})

/** The full name of `name`, added to `full`. The project of an id is the client's, which can block
 * on the metadata server, once. */
psprobe_code psp_pubsub_resolve(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                                psp_buf *full, psprobe_error *error);

/** Waits for the answer; `answer` (may be NULL) receives its body, to psp_buf_free. */
psprobe_code psp_pubsub_run(psprobe_client *client, const psp_pubsub_call *call, psp_buf *answer,
                            psprobe_error *error);
/** Does not wait; as psp_call_start. */
psprobe_code psp_pubsub_start(psprobe_client *client, const psp_pubsub_call *call,
                              psp_call_done *done, void *arg, psp_pending **pending,
                              psprobe_error *error);

#endif
