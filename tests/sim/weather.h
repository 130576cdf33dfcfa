/* SPDX-License-Identifier: MIT */
#ifndef SIM_WEATHER_H
#define SIM_WEATHER_H
/** @file What goes wrong in a world, drawn from its seed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network.h"

/** Rates in thousandths. */
typedef struct sim_weather {
  bool calm;                    /**< nothing goes wrong */
  int64_t least_ns, most_ns;    /**< how long a way takes, mostly */
  unsigned far;                 /**< … and how often it takes up to a hundred times as long */
  unsigned lost, silent, again; /**< requests; answers; requests that come twice */
  unsigned edges;   /**< answers of responders that come at the very edge of a time-out */
  unsigned refuse;  /**< requests that Google refuses by a status */
  unsigned partial; /**< batches of which it takes a part */
  unsigned astray;  /**< … and that may arrive long after their sender has given up */
} sim_weather;

/** Draws one. */
void sim_weather_begin(void);
/** From now on nothing goes wrong, or it does again. */
void sim_weather_calm(bool calm);
/** For the trace. */
void sim_weather_tell(void);

sim_fate sim_fate_of(sim_call *call);
/** What the server gets of a request. */
const char *sim_body_of(const sim_call *call, size_t *len);
/** What the client gets of an answer. */
void sim_answer_through(sim_call *call, int status, const psp_header *headers, size_t count,
                        const char *body, size_t len);

#endif
