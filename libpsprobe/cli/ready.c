/* SPDX-License-Identifier: MIT */
/** @file Whether topic or subscription is there and the service answers, before a program begins.
 */
#include <string.h>

#include <psprobe/cli.h>
#include <psprobe/pubsub_subscriptions.h>

#include "base/error.h"
#include "base/log.h"
#include "client/call.h"
#include "pubsub/calls.h"
#include "pubsub/fit.h"

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
  code = create ? psprobe_topic_create(client, topic, NULL, START_NS, NULL, e)
                : psprobe_topic_exists(client, topic, START_NS, e);
  /* A publisher may lack the permission to look (roles/pubsub.publisher does): not our question. */
  if (code == PSPROBE_PERMISSION_DENIED && !create) return PSPROBE_OK;
  if (code != PSPROBE_OK) advise(code, e);
  return code;
}

static void warn(const psprobe_client *client, const psprobe_error *error) {
  psp_log_line line;
  if (!psp_log_begin(&line, psp_client_logger(client), PSPROBE_LOG_WARNING, "subscription_unfit"))
    return;
  psp_log_text(&line, "meaning", error->message);
  psp_log_end(&line);
}

/* What is cut off is made again if that is wanted, and refused else; one of another topic is
 * refused where the topic is meant, which `create` says. */
static psprobe_code settle(psprobe_client *client, const psprobe_subscription_info *info,
                           const char *topic, bool create, psprobe_error *error) {
  psp_buf full = {0};
  psprobe_code code = psp_pubsub_resolve(client, PSP_TOPIC, topic, &full, error);
  const psp_fit fit = code == PSPROBE_OK ? psp_subscription_fit(info, full.data) : PSP_FITS;
  if (fit != PSP_FITS) code = psp_subscription_unfit(fit, info, full.data, error);
  if (fit == PSP_OTHER_TOPIC && !create) {
    warn(client, error);
    code = PSPROBE_OK;
  } else if (fit == PSP_CUT_OFF && create) {
    const psprobe_subscription_config config = {.topic = topic};
    warn(client, error);
    code = psprobe_subscription_delete(client, info->name, error);
    if (code == PSPROBE_OK || code == PSPROBE_NOT_FOUND)
      code = psprobe_subscription_create(client, info->name, &config, NULL, error);
  }
  psp_buf_free(&full);
  return code;
}

psprobe_code psprobe_subscription_ready(psprobe_client *client, const char *subscription,
                                        const char *topic, bool create, psprobe_error *error) {
  psprobe_error local = {0}, *e = error != NULL ? error : &local;
  psprobe_subscription_info info = {0};
  const psprobe_subscription_config config = {.topic = topic};
  psprobe_code code =
      create ? psprobe_topic_ready(client, topic, true, e) : psp_client_find_credentials(client, e);
  if (code == PSPROBE_OK && create)
    code = psprobe_subscription_create(client, subscription, &config, NULL, e);
  if (code != PSPROBE_OK) return code;
  code = psprobe_subscription_get(client, subscription, START_NS, &info, e);
  if (code == PSPROBE_OK)
    code = settle(client, &info, topic, create, e);
  else if (code == PSPROBE_PERMISSION_DENIED) /* as roles/pubsub.subscriber */
    code = PSPROBE_OK;
  else
    advise(code, e);
  psprobe_subscription_info_free(&info);
  return code;
}
