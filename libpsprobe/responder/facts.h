/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESPONDER_FACTS_H
#define PSP_RESPONDER_FACTS_H
/** @file What an answer tells beside itself (psprobe/wire.h): facts of the event and of who had it,
 * and stamps by which the prober finds how far the two clocks are apart. */
#include <pthread.h>

#include <psprobe/pubsub.h>

#include "functions/instance.h"
#include "http/client/transport.h"

/** Of one event. */
typedef struct psp_event_facts {
  uint64_t number;
  int64_t received_ns; /**< monotonic */
  int64_t age_ns, arrived_ns;
  int attempt;
  psprobe_timestamp published;
  char traceparent[64], tracestate[513]; /**< the message's, to be passed on; "": none */
} psp_event_facts;

/** The last exchange with the prober that was finished: sent, received, answered, back. */
typedef struct psp_last_exchange {
  int64_t at[4]; /**< ns since 1970; all 0: none yet */
} psp_last_exchange;

#define PSP_FACT_HEADERS 13

/** Headers, and the texts that they point to. */
typedef struct psp_fact_headers {
  psp_header list[PSP_FACT_HEADERS];
  size_t count, used;
  char text[1152];
} psp_fact_headers;

/** @param number of the instance's events; 0: this counts it */
void psp_facts_begin(psp_event_facts *facts, psp_instance *instance, const psprobe_message *message,
                     int64_t received_ns, uint64_t number);
/** Writes what is known of them. @param sent_ns wall clock, of this sending */
void psp_facts_write(const psp_event_facts *facts, const psp_instance *instance,
                     const psp_last_exchange *last, int64_t sent_ns, psp_fact_headers *headers);
/** Reads the prober's stamps from its answer. False: it told none. */
bool psp_last_exchange_read(psp_last_exchange *stamps, int64_t sent_ns,
                            const psp_http_response *response, int64_t back_ns);

#endif
