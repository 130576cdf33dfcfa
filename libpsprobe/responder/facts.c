/* SPDX-License-Identifier: MIT */
#include "responder/facts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <psprobe/wire.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "os/clock.h"

/* All of it or nothing. */
static void copy(char *out, size_t size, const char *text) {
  if (text != NULL && strlen(text) < size) memcpy(out, text, strlen(text) + 1);
}

void psp_facts_begin(psp_event_facts *facts, psp_instance *instance, const psprobe_message *message,
                     int64_t received_ns, uint64_t number) {
  *facts = (psp_event_facts){.number = number > 0 ? number : psp_instance_call(instance),
                             .received_ns = received_ns,
                             .age_ns = psp_instance_age_ns(instance, received_ns),
                             .arrived_ns = psp_arrived_wall_ns(received_ns),
                             .attempt = message->delivery_attempt,
                             .published = message->publish_time};
  copy(facts->traceparent, sizeof facts->traceparent, message->traceparent);
  copy(facts->tracestate, sizeof facts->tracestate, message->tracestate);
}

__attribute__((format(printf, 3, 4))) static void put(psp_fact_headers *headers, const char *name,
                                                      const char *format, ...) {
  char *text = headers->text + headers->used;
  size_t room = sizeof headers->text - headers->used;
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, room, format, args);
  va_end(args);
  if (len < 0 || (size_t)len >= room || headers->count == PSP_FACT_HEADERS) return;
  headers->used += (size_t)len + 1;
  headers->list[headers->count++] = (psp_header){name, text};
}

static void put_ns(psp_fact_headers *headers, const char *name, int64_t ns) {
  put(headers, name, "%" PRId64, ns);
}

void psp_facts_write(const psp_event_facts *facts, const psp_instance *instance,
                     const psp_last_exchange *last, int64_t sent_ns, psp_fact_headers *headers) {
  int64_t ready_ns = atomic_load(&instance->ready_ns);
  int64_t handled_ns = psprobe_clock_monotonic() - facts->received_ns;
  char published[PSP_TIMESTAMP_SIZE];
  headers->count = headers->used = 0;
  put_ns(headers, PSPROBE_HEADER_HANDLED, handled_ns > 0 ? handled_ns : 0);
  if (facts->number == 1) put(headers, PSPROBE_HEADER_COLD, "1");
  put(headers, PSPROBE_HEADER_INSTANCE, "%s", instance->id);
  put(headers, PSPROBE_HEADER_INVOCATION, "%" PRIu64, facts->number);
  put_ns(headers, PSPROBE_HEADER_AGE, facts->age_ns);
  if (ready_ns >= 0) put_ns(headers, PSPROBE_HEADER_READY, ready_ns);
  if (facts->attempt > 0) put(headers, PSPROBE_HEADER_ATTEMPT, "%d", facts->attempt);
  if (facts->published.seconds != 0 || facts->published.nanos != 0)
    put(headers, PSPROBE_HEADER_PUBLISHED, "%s",
        psp_timestamp_format(published, facts->published.seconds, facts->published.nanos));
  put_ns(headers, PSPROBE_HEADER_ARRIVED, facts->arrived_ns);
  put_ns(headers, PSPROBE_HEADER_SENT, sent_ns);
  if (facts->traceparent[0] != 0) put(headers, "traceparent", "%s", facts->traceparent);
  if (facts->tracestate[0] != 0) put(headers, "tracestate", "%s", facts->tracestate);
  if (last->at[0] != 0)
    put(headers, PSPROBE_HEADER_EXCHANGE, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
        last->at[0], last->at[1], last->at[2], last->at[3]);
}

static bool read_stamp(const psp_http_response *response, const char *name, int64_t *out) {
  char lower[32] = "";
  for (size_t i = 0; i < sizeof lower - 1 && name[i] != 0; i++)
    lower[i] = (char)tolower((unsigned char)name[i]);
  const char *text = psp_http_header(response, lower);
  return text != NULL && psp_parse_int64(text, 1, INT64_MAX, out);
}

bool psp_last_exchange_read(psp_last_exchange *stamps, int64_t sent_ns,
                            const psp_http_response *response, int64_t back_ns) {
  psp_last_exchange read = {.at = {sent_ns, 0, 0, back_ns}};
  if (!read_stamp(response, PSPROBE_HEADER_RECEIVED, &read.at[1]) ||
      !read_stamp(response, PSPROBE_HEADER_ANSWERED, &read.at[2]))
    return false;
  *stamps = read;
  return true;
}
