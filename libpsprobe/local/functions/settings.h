/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_SETTINGS_H
#define PSP_LOCAL_FUNCTIONS_SETTINGS_H
/** @file A function as its options have it: checked, with defaults, copied. */
#include "local/functions/parts.h"

/** @return PSPROBE_OK; INVALID_ARGUMENT, naming what; RESOURCE_EXHAUSTED */
psprobe_code psp_function_new(const psprobe_local_function_options *options,
                              psp_function **function, psprobe_error *error);
/** Its instances and events are gone. */
void psp_function_free(psp_function *function);

#endif
