/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_HOST_H
#define PSP_LOCAL_FUNCTIONS_HOST_H
/**
 * @file
 * Functions: events come in by HTTP and each goes to an instance of a program
 * that has a free seat. Instances are started when they are needed and stopped
 * when they are not.
 */
#include <stdint.h>

#include <psprobe/local.h>

typedef struct psp_function_host psp_function_host;

/** Starts the server that receives events. @param listen NULL: a port of 127.0.0.1 */
psprobe_code psp_function_host_new(const char *listen, const psprobe_logger *logger,
                                   psp_function_host **host, psprobe_error *error);
/** Stops every instance and waits for its end. NULL is fine. */
void psp_function_host_free(psp_function_host *host);
/** As psprobe_local_function_add. `url` is the host's. */
psprobe_code psp_function_host_add(psp_function_host *host,
                                   const psprobe_local_function_options *options, const char **url,
                                   psprobe_error *error);
/** As psprobe_local_function_get_stats. */
bool psp_function_host_stats(psp_function_host *host, const char *url,
                             psprobe_local_function_stats *stats);

#endif
