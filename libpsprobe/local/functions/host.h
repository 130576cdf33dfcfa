/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_HOST_H
#define PSP_LOCAL_FUNCTIONS_HOST_H
/**
 * @file
 * Functions: events come in by HTTP and each goes to an idle instance of a
 * program, which is started when it is needed and stopped when it is not.
 */
#include <stdint.h>

#include <psprobe/local.h>

typedef struct psp_function_host psp_function_host;

/** Starts the server that receives events, on a port of 127.0.0.1. */
psprobe_code psp_function_host_new(const psprobe_logger *logger, psp_function_host **host,
                                   psprobe_error *error);
/** Stops every instance and waits for its end. NULL is fine. */
void psp_function_host_free(psp_function_host *host);
/** As psprobe_local_add_function. `url` is the host's. */
psprobe_code psp_function_host_add(psp_function_host *host, const psprobe_local_function *options,
                                   const char **url, psprobe_error *error);
void psp_function_host_count(psp_function_host *host, int *running, uint64_t *started);

#endif
