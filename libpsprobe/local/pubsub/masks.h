/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_MASKS_H
#define PSP_LOCAL_PUBSUB_MASKS_H
/** @file The updateMask of a PATCH, in either spelling: "ackDeadlineSeconds,push_config". Pure. */
#include <psprobe/error.h>

/**
 * Reads which settings are to change, as bits of settings.h.
 * @return INVALID_ARGUMENT in the emulator's words: none, one that is none, or that cannot change;
 *         UNIMPLEMENTED: one that there is, but not here
 */
psprobe_code psp_topic_mask_parse(const char *text, unsigned *mask, psprobe_error *error);
psprobe_code psp_subscription_mask_parse(const char *text, unsigned *mask, psprobe_error *error);
psprobe_code psp_snapshot_mask_parse(const char *text, unsigned *mask, psprobe_error *error);

#endif
