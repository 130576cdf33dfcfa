/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_FLIGHT_H
#define PSP_LOCAL_FUNCTIONS_FLIGHT_H
/** @file An event's request to an instance's program, and its answer. */
#include "local/functions/parts.h"

/**
 * Sends an event to a ready instance, among whose flights it counts already. Its answer goes back
 * when it comes, and the instance gets the next event that waits.
 */
void psp_function_serve(psp_function_instance *instance, psp_function_event *event);
/** Answers an event that no instance has, and frees it. */
void psp_function_refuse(psp_function_event *event, int status, const char *why);

#endif
