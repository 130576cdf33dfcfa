/* SPDX-License-Identifier: MIT */
#include "results/columns/row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"

int64_t psp_duration_bound(int64_t ns) {
  return ns > PSP_MOST_NS ? PSP_MOST_NS : ns < -PSP_MOST_NS ? -PSP_MOST_NS : ns;
}

int64_t psp_time_bound(int64_t ns) {
  return ns > PSP_COLUMN_TIME_MOST    ? PSP_COLUMN_TIME_MOST
         : ns < -PSP_COLUMN_TIME_MOST ? -PSP_COLUMN_TIME_MOST
                                      : ns;
}

/* A number that is told is one above 0. */
static int64_t told(int64_t ns) {
  return ns > 0 ? psp_time_bound(ns) : 0;
}

void psp_answer_bound(psprobe_answer *answer) {
  psprobe_facts *f = &answer->facts;
  int64_t *const numbers[] = {
      &answer->received_wall_ns, &f->age_ns,          &f->ready_ns,
      &f->published_wall_ns,     &f->arrived_wall_ns, &f->sent_wall_ns,
  };
  bool exchange = true;
  answer->elapsed_ns = psp_duration_bound(answer->elapsed_ns);
  answer->handled_ns = answer->handled_ns < 0 ? -1 : psp_duration_bound(answer->handled_ns);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    *numbers[i] = told(*numbers[i]);
  for (size_t t = 0; t < PSPROBE_STAMPS; t++)
    exchange = exchange && f->exchange_wall_ns[t] > 0;
  for (size_t t = 0; t < PSPROBE_STAMPS; t++)
    f->exchange_wall_ns[t] = exchange ? told(f->exchange_wall_ns[t]) : 0;
}

void psp_result_bound(psprobe_result *result) {
  result->sent_wall_ns = psp_time_bound(result->sent_wall_ns);
  result->lateness_ns = psp_duration_bound(result->lateness_ns);
  if (result->publish_ns != PSP_PUBLISH_UNKNOWN)
    result->publish_ns = result->publish_ns < 0 ? -1 : psp_duration_bound(result->publish_ns);
  for (size_t k = 0; k < result->source_count; k++)
    psp_answer_bound(&result->answers[k]);
}

bool psp_answer_tells(const psprobe_answer *answer) {
  const psprobe_facts *f = &answer->facts;
  return answer->received_wall_ns > 0 || f->instance[0] != '\0' || f->invocation > 0 ||
         f->delivery_attempt > 0 || f->age_ns > 0 || f->ready_ns > 0 || f->published_wall_ns > 0 ||
         f->arrived_wall_ns > 0 || f->sent_wall_ns > 0 || f->exchange_wall_ns[0] > 0;
}

bool psp_row_parse_time(const char *given, int64_t *ns, const char **why) {
  char text[PSP_TIMESTAMP_SIZE + 16];
  int64_t seconds = 0;
  int32_t nanos = 0;
  *why = "not an RFC 3339 time such as 2026-11-24T22:10:05Z";
  size_t len = strlen(given);
  if (len >= sizeof text) return false;
  memcpy(text, given, len + 1);
  if (len > 10 && (text[10] == 't' || text[10] == ' ')) text[10] = 'T';
  if (len > 0 && text[len - 1] == 'z') text[len - 1] = 'Z';
  if (!psp_timestamp_parse(text, len, &seconds, &nanos)) return false;
  *why = "a year that is out of range (1824 to 2115)";
  if (seconds < -PSP_COLUMN_TIME_MOST / 1000000000 || seconds > PSP_COLUMN_TIME_MOST / 1000000000)
    return false;
  *ns = seconds * 1000000000 + nanos;
  return true;
}

bool psp_row_parse_whole(const char *text, int64_t *value) {
  if (psp_parse_int64(text, INT64_MIN, INT64_MAX, value)) return true;
  char *end = NULL;
  if (text[strspn(text, "0123456789.eE+-")] != '\0' || strpbrk(text, "0123456789") == NULL)
    return false;
  double number = strtod(text, &end);
  if (*end != '\0' || fabs(number) > 9007199254740992.0 || number != floor(number)) return false;
  *value = (int64_t)number;
  return true;
}

bool psp_row_parse_duration(const char *text, int64_t min, int64_t *ns, const char **why) {
  *why = min < 0 ? "not a whole number of nanoseconds" : "not a whole number from 0 on";
  if (!psp_row_parse_whole(text, ns) || (min == 0 && *ns < 0)) return false;
  *why = "longer than eighteen years in nanoseconds";
  return *ns >= min && *ns <= PSP_MOST_NS;
}
