/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_FIT_H
#define PSP_PUBSUB_FIT_H
/** @file Whether a subscription can bring what is published to a topic to who pulls it. Pure. */
#include <psprobe/pubsub_subscriptions.h>

/** What the topic of a subscription is called once it was deleted (pubsub.proto, Subscription): no
 * topic that is made later, of the same name or not, brings it anything. */
#define PSP_DELETED_TOPIC "_deleted-topic_"

typedef enum psp_fit {
  PSP_FITS = 0,
  PSP_CUT_OFF,     /**< its topic was deleted */
  PSP_OTHER_TOPIC, /**< it is of another one */
  PSP_PUSHES       /**< it pushes: who pulls gets nothing */
} psp_fit;

/** Judges what the service says of it. @param topic in full; NULL: whichever it is of */
psp_fit psp_subscription_fit(const psprobe_subscription_info *info, const char *topic);
/**
 * Tells what does not fit, and what to do about it.
 * @param fit not PSP_FITS
 * @return FAILED_PRECONDITION
 */
psprobe_code psp_subscription_unfit(psp_fit fit, const psprobe_subscription_info *info,
                                    const char *topic, psprobe_error *error);

#endif
