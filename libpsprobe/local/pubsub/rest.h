/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_REST_H
#define PSP_LOCAL_PUBSUB_REST_H
/** @file The routes of the broker, which REST and gRPC come by: rest.c (messages), admin.c (topics,
 * subscriptions), replay.c (snapshots, seeking), iam.c and listings.c. */
#include "base/json.h"
#include "local/pubsub/host.h"
#include "local/rest.h"

/** Who asks. Copied by what answers later. */
typedef struct psp_broker_caller {
  /** Answers, once: with JSON (freed; NULL: an empty object), or with an error (`message` may be
   * NULL), whose `body` (freed) is one object of its details, or NULL. */
  void (*reply)(void *arg, psprobe_code code, const char *message, psp_buf *body);
  bool (*is_gone)(void *arg); /**< and an answer would reach nobody */
  /** A parameter of the query, or NULL. */
  const char *(*query)(void *arg, const char *name);
  void *arg;
} psp_broker_caller;

/** One request, for the time of its handler. */
typedef struct psp_broker_request {
  psp_broker_host *host;
  psp_broker_caller caller;
  psp_rest_path path;
  char *name; /**< "projects/P/topics/T", or "projects/P/topics" for a listing */
  const char *body;
  size_t len;
} psp_broker_request;

/** Answers, by psp_broker_reply or later. */
typedef void psp_broker_route(psp_broker_request *request);

/** The body as JSON, NULL for an empty one. */
psprobe_code psp_broker_request_parse(const psp_broker_request *request, psp_json **json,
                                      psprobe_error *error);
/** Gives `*name` the name of the URL; one in the body must be the same (the emulator hangs). */
psprobe_code psp_broker_request_name(const psp_broker_request *request, char **name,
                                     psprobe_error *error);

/** The body of a PATCH: the thing, borrowed from the JSON, and the mask, to free(). */
typedef struct psp_broker_change {
  const psp_json *thing;
  char *mask;
} psp_broker_change;
psprobe_code psp_broker_change_read(const psp_json *json, const char *thing,
                                    psp_broker_change *change, psprobe_error *error);

/** Unlocks the broker and answers with `body` (freed; NULL: an empty object), or the error when
 * `code` is not 0. */
void psp_broker_finish(psp_broker_request *request, psprobe_code code, const psprobe_error *error,
                       psp_buf *body);

void psp_broker_reply(psp_broker_request *request, psprobe_code code, const char *message,
                      psp_buf *body);

/** Answers by the route of method and path ("/v1/projects/…"), and fills in the name for it. False:
 * there is none; nothing is answered. */
bool psp_broker_route_request(psp_broker_request *request, const char *method);

/** A psp_handler: answers one request. `host` is a psp_broker_host. */
void psp_broker_rest_handle(void *host, psp_exchange *exchange);

psp_broker_route psp_broker_topic_put, psp_broker_topic_get, psp_broker_topic_patch,
    psp_broker_topic_remove, psp_broker_topic_list, psp_broker_topic_subscriptions;
psp_broker_route psp_broker_subscription_put, psp_broker_subscription_get,
    psp_broker_subscription_patch, psp_broker_subscription_remove, psp_broker_subscription_list,
    psp_broker_subscription_push, psp_broker_subscription_seek, psp_broker_subscription_detach;
psp_broker_route psp_broker_snapshot_put, psp_broker_snapshot_get, psp_broker_snapshot_patch,
    psp_broker_snapshot_remove, psp_broker_snapshot_list, psp_broker_topic_snapshots;
psp_broker_route psp_broker_policy_get, psp_broker_policy_set, psp_broker_policy_test;

#endif
