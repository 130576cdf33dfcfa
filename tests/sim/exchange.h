/* SPDX-License-Identifier: MIT */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H
/** @file The servers of the world. Each request is handled by a fiber of its server's machine. */
#include <stdbool.h>

#include "network.h"

void sim_servers_begin(void);
void sim_servers_forget(unsigned machine);
/** Brings a request to the server at its address. @return false: nobody is there */
bool sim_server_take(sim_call *call, bool again);

#endif
