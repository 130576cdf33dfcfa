/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_REST_H
#define PSP_LOCAL_BROKER_REST_H
/** @file What the routes of the broker share: rest.c (messages) and admin.c. */
#include "local/broker/host.h"
#include "local/rest.h"

/** One request, for the time of its handler. */
typedef struct psp_broker_request {
  psp_broker_host *host;
  psp_exchange *exchange;
  psp_rest_path path;
  char *name; /**< "projects/P/topics/T", or "projects/P/topics" for a listing */
  const char *body;
  size_t len;
} psp_broker_request;

/** Answers, by psp_exchange_reply or later. */
typedef void psp_broker_route(psp_broker_request *request);

/** Unlocks the broker and answers with `body` (freed), or the error when `code` is not 0. */
void psp_broker_finish(psp_broker_request *request, psprobe_code code, const psprobe_error *error,
                       psp_buf *body);

/** A psp_handler: answers one request. `host` is a psp_broker_host. */
void psp_broker_rest_handle(void *host, psp_exchange *exchange);

psp_broker_route psp_broker_topic_put, psp_broker_topic_get, psp_broker_topic_patch,
    psp_broker_topic_remove, psp_broker_topic_list, psp_broker_topic_subscriptions;
psp_broker_route psp_broker_subscription_put, psp_broker_subscription_get,
    psp_broker_subscription_patch, psp_broker_subscription_remove, psp_broker_subscription_list,
    psp_broker_subscription_push;

#endif
