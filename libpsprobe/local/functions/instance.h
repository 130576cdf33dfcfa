/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_INSTANCE_H
#define PSP_LOCAL_FUNCTIONS_INSTANCE_H
/** @file One instance's program, from its start to its end. For the keeper's thread alone. */
#include "local/functions/parts.h"

/** Makes one, whose program does not run yet. NULL: no memory. */
psp_function_instance *psp_function_instance_new(psp_function *function, uint64_t ordinal);

/**
 * Does what is due: starts its program, reads what that prints, looks whether it listens, ends it;
 * and sets `due_ns`.
 * @return false: its program has ended, and none of its events is under way: it can be freed
 */
bool psp_function_instance_step(psp_function_instance *instance, int64_t now_ns);

void psp_function_instance_free(psp_function_instance *instance);

#endif
