/* SPDX-License-Identifier: MIT */
#include "pubsub/fit.h"

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

psp_fit psp_subscription_fit(const psprobe_subscription_info *info, const char *topic) {
  if (psp_text_equal(info->config.topic, PSP_DELETED_TOPIC)) return PSP_CUT_OFF;
  if (topic != NULL && !psp_text_equal(info->config.topic, topic)) return PSP_OTHER_TOPIC;
  return info->config.push_endpoint != NULL ? PSP_PUSHES : PSP_FITS;
}

psprobe_code psp_subscription_unfit(psp_fit fit, const psprobe_subscription_info *info,
                                    const char *topic, psprobe_error *error) {
  char shown[PSP_SHOWN_SIZE];
  switch (fit) {
    case PSP_CUT_OFF:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s is cut off: its topic was deleted, and one that is made again brings it "
                      "nothing; delete the subscription and make it again (--create does)",
                      info->name);
    case PSP_OTHER_TOPIC:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s is subscribed to %s, not to %s: nothing that is published there reaches "
                      "it; name another subscription, or delete this one",
                      info->name, info->config.topic, topic);
    default:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s pushes to %s: who pulls it gets nothing; name another subscription, or "
                      "turn this one to pull",
                      info->name,
                      psp_setting_shown(shown, sizeof shown, info->config.push_endpoint));
  }
}
