/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_FUNCTION_H
#define PSP_FUNCTIONS_FUNCTION_H
/** @file Serving a target that is part of something larger. */
#include <psprobe/function.h>

#include "functions/instance.h"

/** What its owner adds. Zeroed: nothing. */
typedef struct psp_function_hooks {
  psp_instance *instance; /**< borrowed; NULL: one of its own */
  /** Whether a body of no known form is the data of a message; NULL: as the target says. */
  bool (*is_plain)(const char *body, size_t len);
  psprobe_verifier *verifier; /**< borrowed; NULL: as the options say */
  bool quiet;                 /**< who owns the target logs its failures */
} psp_function_hooks;

psprobe_code psp_function_begin(const psprobe_target *target,
                                const psprobe_function_options *options,
                                const psp_function_hooks *hooks, psprobe_function **function,
                                psprobe_error *error);
/** Takes no more connections, and lets nobody wait for keys; calls that are under way go on. */
void psp_function_quiesce(psprobe_function *function);

#endif
