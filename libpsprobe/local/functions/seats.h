/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_SEATS_H
#define PSP_LOCAL_FUNCTIONS_SEATS_H
/**
 * @file
 * Who gets which event, and how many instances there should be, as Cloud Run has it. Pure; with the
 * host's lock held.
 */
#include "local/functions/parts.h"

/** The ready instance with a free seat that was busy last, so that others can end; NULL: none. */
psp_function_instance *psp_function_seat(const psp_function *function);

void psp_function_queue(psp_function *function, psp_function_event *event);
/** The event to serve next, taken out of those that wait; NULL: there is none. */
psp_function_event *psp_function_next(psp_function *function);
/** The same of an event that has waited too long. */
psp_function_event *psp_function_overdue(psp_function *function, int64_t now_ns);

/** How many instances to start: those that are starting will take what waits, so only more events
 * than they have seats call for another. */
int psp_function_wanted(const psp_function *function, int64_t now_ns);
/** An instance that has been idle too long and is not one of the few to keep; NULL: none. */
psp_function_instance *psp_function_spare(const psp_function *function, int64_t now_ns);
/** When one of these will have another answer by the time alone; INT64_MAX: never. */
int64_t psp_function_due(const psp_function *function, int64_t now_ns);

#endif
