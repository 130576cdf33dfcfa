/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_TARGETS_H
#define PSP_FUNCTIONS_TARGETS_H
/** @file Which target of a table is meant. Pure. */
#include <psprobe/function.h>

/**
 * @param name FUNCTION_TARGET; NULL or "": none
 * @param type FUNCTION_SIGNATURE_TYPE; NULL or "": none
 * @return OK; NOT_FOUND: there is none of that name or type; INVALID_ARGUMENT: no such type, or it
 *         is open which is meant. Errors list the targets.
 */
psprobe_code psp_target_choose(const psprobe_target *targets, size_t count, const char *name,
                               const char *type, const psprobe_target **target,
                               psprobe_error *error);

#endif
