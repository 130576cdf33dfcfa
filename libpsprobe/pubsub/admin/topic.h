/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_ADMIN_TOPIC_H
#define PSP_PUBSUB_ADMIN_TOPIC_H
/** @file A topic's settings, checked, written and read. Pure. */
#include <psprobe/pubsub_admin.h>

#include "pubsub/admin/settings.h"

#define PSP_TOPIC_FIELDS 6
extern const psp_admin_field psp_topic_fields[PSP_TOPIC_FIELDS];

/** INVALID_ARGUMENT: what Google would refuse. */
psprobe_code psp_topic_check(const psprobe_topic_config *config, psprobe_error *error);
/** @param config may be NULL */
void psp_topic_encode(psp_buf *out, const psprobe_topic_config *config);
psprobe_code psp_topic_decode(const char *body, size_t len, psprobe_topic_info *info,
                              psprobe_error *error);

#endif
