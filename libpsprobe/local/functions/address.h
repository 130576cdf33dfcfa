/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_ADDRESS_H
#define PSP_LOCAL_FUNCTIONS_ADDRESS_H
/** @file Where a program says that it listens. Pure. */
#include <stdbool.h>

#define PSP_ADDRESS_SIZE 80

typedef struct psp_address {
  char url[PSP_ADDRESS_SIZE]; /**< "http://127.0.0.1:41234" */
  int port;
} psp_address;

/**
 * The next URL of this machine in a text, whatever stands around it: "Listening on
 * HTTP://localhost:80." and "\x1b[36mhttp://0.0.0.0:80/\x1b[0m" have one. Pure.
 * @param at where to look from; moves beyond what was found
 * @return false: there is none
 */
bool psp_address_next(const char **at, psp_address *out);

#endif
