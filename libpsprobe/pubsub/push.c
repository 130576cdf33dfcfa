/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The body of a wrapped push request:
 * https://cloud.google.com/pubsub/docs/push#receive_push
 */
#include "base/error.h"
#include "pubsub/messages.h"

/* A push is a batch of one; it has a type of its own for those who use it. */
static psprobe_batch *batch_of(psprobe_push *push) {
  return (psprobe_batch *)push;
}

psprobe_code psp_push_read(const psp_json *body, size_t len, psprobe_batch **out,
                           psprobe_error *error) {
  const psp_json *json = psp_json_get(body, "message");
  if (!psp_json_is_object(body))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "the body is not a JSON object");
  if (json == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "there is no \"message\": is this a wrapped push of Pub/Sub?");
  psprobe_batch *batch = psp_batch_new(1, psp_message_attributes(json), len);
  if (batch == NULL) return psp_fail_memory(error, "a push");
  psprobe_message *message = &batch->messages[0];
  size_t used = 0;
  psprobe_code code = psp_message_read(batch, 0, json, &used, error);
  if (code == PSPROBE_OK)
    code = psp_message_text(batch, psp_json_get(body, "subscription"), "subscription",
                            &message->subscription, error);
  if (code == PSPROBE_OK)
    code = psp_message_count(psp_json_get2(body, "deliveryAttempt", "delivery_attempt"),
                             "deliveryAttempt", &message->delivery_attempt, error);
  if (code != PSPROBE_OK) {
    psprobe_batch_free(batch);
    return code;
  }
  *out = batch;
  return PSPROBE_OK;
}

psprobe_code psprobe_push_decode(const char *body, size_t len, psprobe_push **push,
                                 psprobe_error *error) {
  psp_json *json = NULL;
  psprobe_batch *batch = NULL;
  psprobe_code code = psp_json_parse(body, len, "push", &json, error);
  if (code == PSPROBE_OK) {
    code = psp_push_read(json, len, &batch, error);
    if (code != PSPROBE_OK) psp_fail_in(error, "push");
  }
  psp_json_free(json);
  if (code == PSPROBE_OK) *push = (psprobe_push *)batch;
  return code;
}

const psprobe_message *psprobe_push_message(const psprobe_push *push) {
  return psprobe_batch_message((const psprobe_batch *)push, 0);
}

void psprobe_push_free(psprobe_push *push) {
  psprobe_batch_free(batch_of(push));
}
