/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_KEEPER_H
#define PSP_LOCAL_FUNCTIONS_KEEPER_H
/**
 * @file
 * The thread that has as many instances run as there should be, and refuses what waits too long. It
 * starts every program, since the kernel kills those when the thread that started them ends.
 */
#include "local/functions/parts.h"

/** False: no thread or descriptor is left. */
bool psp_function_keeper_start(psp_function_host *host);
/** Refuses what waits, has every instance end, and waits for that. */
void psp_function_keeper_stop(psp_function_host *host);

#endif
