/* SPDX-License-Identifier: MIT */
#include "results/upload/document.h"
#include "base/text.h"

const char *const psp_document_mask[PSP_DOCUMENT_MASK] = {
    "cloud_func_response_time",
    "reg_service_response_time",
    "publish_ns",
    "sources",
};

static psprobe_value *timestamp(int64_t ns) {
  psprobe_timestamp value = {.seconds = ns / 1000000000, .nanos = (int32_t)(ns % 1000000000)};
  if (value.nanos < 0) {
    value.nanos += 1000000000;
    value.seconds--;
  }
  return psprobe_value_timestamp(value);
}

/* A duration that may be unknown: then it is null, never a number that is none. */
static psprobe_value *duration(bool known, int64_t ns) {
  return known ? psprobe_value_integer(ns) : psprobe_value_null();
}

static psprobe_value *response_time(const psprobe_row *row, const char *source) {
  for (size_t i = 0; i < row->run->source_count; i++) {
    const psprobe_answer *answer = &row->result.answers[i];
    if (psp_text_equal(row->run->sources[i], source))
      return duration(psprobe_answer_came(answer->status), answer->elapsed_ns);
  }
  return psprobe_value_null();
}

const char *psp_status_name(psprobe_status status) {
  static const char *const names[] = {[PSPROBE_LOST] = "lost",
                                      [PSPROBE_ANSWERED] = "answered",
                                      [PSPROBE_LATE] = "late",
                                      [PSPROBE_INTERRUPTED] = "interrupted",
                                      [PSPROBE_UNCERTAIN] = "uncertain"};
  return names[status];
}

const char *psp_ending_name(psprobe_ending ending) {
  static const char *const names[] = {[PSPROBE_ENDING_FINISHED] = "finished",
                                      [PSPROBE_ENDING_STOPPED] = "stopped",
                                      [PSPROBE_ENDING_INTERRUPTED] = "interrupted"};
  return names[ending];
}

/* Sets one field, unless memory ran out before; the value is taken in any case. */
static void put(psprobe_value *map, const char *key, psprobe_value *value, bool *good) {
  *good = psprobe_value_set(map, key, value) && *good;
}

static psprobe_value *finish(psprobe_value *map, bool good) {
  if (good) return map;
  psprobe_value_free(map);
  return NULL;
}

/* What was told: a field that was not is not there, so that a document without facts is as before.
 */
static void put_told(psprobe_value *map, const char *key, int64_t value, bool *good) {
  if (value > 0) put(map, key, psprobe_value_integer(value), good);
}

static void put_told_time(psprobe_value *map, const char *key, int64_t wall_ns, bool *good) {
  if (wall_ns > 0) put(map, key, timestamp(wall_ns), good);
}

static void put_facts(psprobe_value *map, const psprobe_facts *facts, bool *good) {
  static const char *const stamps[PSPROBE_STAMPS] = {"t1_ns", "t2_ns", "t3_ns", "t4_ns"};
  if (facts->instance[0] != '\0') put(map, "instance", psprobe_value_string(facts->instance), good);
  put_told(map, "invocation", facts->invocation, good);
  put_told(map, "attempt", facts->delivery_attempt, good);
  put_told(map, "age_ns", facts->age_ns, good);
  put_told(map, "ready_ns", facts->ready_ns, good);
  put_told_time(map, "published_at", facts->published_wall_ns, good);
  put_told(map, "arrived_ns", facts->arrived_wall_ns, good);
  put_told(map, "sent_ns", facts->sent_wall_ns, good);
  for (size_t i = 0; i < PSPROBE_STAMPS; i++)
    put_told(map, stamps[i], facts->exchange_wall_ns[i], good);
}

static psprobe_value *answer_map(const psprobe_row *row, const psprobe_answer *answer) {
  psprobe_value *map = psprobe_value_map();
  bool good = map != NULL, there = psprobe_answer_came(answer->status);
  int64_t received = row->result.sent_wall_ns + answer->elapsed_ns;
  put(map, "elapsed_ns", duration(there, answer->elapsed_ns), &good);
  put(map, "received_at", there ? timestamp(received) : psprobe_value_null(), &good);
  put(map, "status", psprobe_value_string(psp_status_name(answer->status)), &good);
  put(map, "duplicates", psprobe_value_integer(answer->duplicates), &good);
  put(map, "cold", psprobe_value_boolean(answer->cold), &good);
  put(map, "handled_ns", duration(there && answer->handled_ns >= 0, answer->handled_ns), &good);
  put_told(map, "received_ns", answer->received_wall_ns, &good);
  put_facts(map, &answer->facts, &good);
  return finish(map, good);
}

psprobe_value *psprobe_result_document(const psprobe_row *row) {
  const psprobe_result *result = &row->result;
  psprobe_value *map = psprobe_value_map(), *sources = psprobe_value_map();
  bool good = map != NULL;
  for (size_t i = 0; i < row->run->source_count; i++)
    put(sources, row->run->sources[i], answer_map(row, &result->answers[i]), &good);
  put(map, "arbitrary_message_id", psprobe_value_string(result->id), &good);
  put(map, "probe_sent", timestamp(result->sent_wall_ns), &good);
  put(map, "cloud_func_response_time", response_time(row, PSPROBE_CLOUD_FUNCTION), &good);
  put(map, "reg_service_response_time", response_time(row, PSPROBE_REGULAR_SERVICE), &good);
  put(map, "saved_at", timestamp(row->saved_wall_ns), &good);
  put(map, "run_id", psprobe_value_string(row->run->id), &good);
  put(map, "publish_ns", duration(result->publish_ns >= 0, result->publish_ns), &good);
  put(map, "sources", sources, &good);
  if (result->cadence == PSPROBE_CADENCE_COLD)
    put(map, "cadence", psprobe_value_string("cold"), &good);
  return finish(map, good);
}
