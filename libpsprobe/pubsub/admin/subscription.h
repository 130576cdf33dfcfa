/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_ADMIN_SUBSCRIPTION_H
#define PSP_PUBSUB_ADMIN_SUBSCRIPTION_H
/** @file A subscription's settings, checked, written and read. Pure. */
#include <psprobe/pubsub_subscriptions.h>

#include "pubsub/admin/settings.h"

#define PSP_SUBSCRIPTION_FIELDS 11
extern const psp_admin_field psp_subscription_fields[PSP_SUBSCRIPTION_FIELDS];

/** INVALID_ARGUMENT: what Google would refuse. @param emulator it takes shorter ack deadlines */
psprobe_code psp_subscription_check(const psprobe_subscription_config *config, bool emulator,
                                    psprobe_error *error);
/** What of it is about pushes. */
psprobe_code psp_push_check(const psprobe_subscription_config *config, psprobe_error *error);
/**
 * All that is made with it.
 * @param topic, dead_letter_topic in full; the latter may be NULL
 */
void psp_subscription_encode(psp_buf *out, const char *topic, const char *dead_letter_topic,
                             const psprobe_subscription_config *config);
/** {"pushConfig":{…}} */
void psp_push_config_encode(psp_buf *out, const psprobe_subscription_config *config);
psprobe_code psp_subscription_decode(const char *body, size_t len, psprobe_subscription_info *info,
                                     psprobe_error *error);

#endif
