/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_FILTER_H
#define PSP_LOCAL_BROKER_FILTER_H
/**
 * @file
 * A subscription's filter over attributes, applied as the service does, which Google's emulator
 * does not (https://cloud.google.com/pubsub/docs/subscription-message-filter). Pure.
 *
 *   attributes:key                      the key is there
 *   attributes.key = "v", != "v"        it is there, and has this value, or another
 *   hasPrefix(attributes.key, "v")      and begins so
 *   NOT x, -x, x AND y, x OR y, (x)     AND and OR are not mixed without parentheses
 *
 * A key of more than letters, digits, _ and - stands in quotes. The text is read anew for each
 * message, and nothing is allocated.
 */
#include <psprobe/error.h>
#include <stdbool.h>

#include "local/broker/message.h"

/** INVALID_ARGUMENT: longer than 256 bytes, or not of the form above, and where. */
psprobe_code psp_broker_filter_check(const char *filter, psprobe_error *error);
/** Whether it lets a message through. @param filter was checked; NULL: all */
bool psp_broker_filter_passes(const char *filter, const psp_letter *letter);

#endif
