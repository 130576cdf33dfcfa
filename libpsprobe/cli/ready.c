/* SPDX-License-Identifier: MIT */
/** @file Whether topic or subscription is there and the service answers, before a program begins.
 */
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/pubsub.h>

#include "base/error.h"
#include "client/call.h"

/* How long a start may take that finds nothing. */
#define START_NS 4000000000LL

/* Adds to an error of the first call what a person can do about it. */
static void advise(psprobe_code code, psprobe_error *e) {
  size_t used = strlen(e->message);
  const char *advice = "";
  /* A key file can be not found too. */
  if (code == PSPROBE_NOT_FOUND && e->http_status == 404) advice = "; make it with --create";
  bool google = strstr(e->message, "googleapis.com") != NULL;
  if ((code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED) && !google)
    advice =
        "; is the broker running? psprobe-local starts one, and PUBSUB_EMULATOR_HOST says "
        "where it is";
  snprintf(e->message + used, sizeof e->message - used, "%s", advice);
}

psprobe_code psprobe_topic_ready(psprobe_client *client, const char *topic, bool create,
                                 psprobe_error *error) {
  psprobe_error local = {0}, *e = error != NULL ? error : &local;
  psprobe_code code = psp_client_find_credentials(client, e);
  if (code != PSPROBE_OK) return code;
  /* Somebody is waiting, and a broker that is not there will not come within a minute. */
  code = create ? psprobe_topic_create(client, topic, START_NS, NULL, e)
                : psprobe_topic_exists(client, topic, START_NS, e);
  /* A publisher may lack the permission to look (roles/pubsub.publisher does): not our question. */
  if (code == PSPROBE_PERMISSION_DENIED && !create) return PSPROBE_OK;
  if (code != PSPROBE_OK) advise(code, e);
  return code;
}

psprobe_code psprobe_subscription_ready(psprobe_client *client, const char *subscription,
                                        psprobe_error *error) {
  psprobe_error local = {0}, *e = error != NULL ? error : &local;
  psprobe_subscription_info info = {0};
  psprobe_code code = psp_client_find_credentials(client, e);
  if (code != PSPROBE_OK) return code;
  code = psprobe_subscription_get(client, subscription, START_NS, &info, e);
  psprobe_subscription_info_free(&info);
  /* As roles/pubsub.subscriber. */
  if (code == PSPROBE_PERMISSION_DENIED) return PSPROBE_OK;
  if (code != PSPROBE_OK) advise(code, e);
  return code;
}
