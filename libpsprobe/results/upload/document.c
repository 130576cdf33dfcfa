/* SPDX-License-Identifier: MIT */
#include "results/upload/document.h"

#include "base/text.h"
#include "results/upload/fields.h"

const char *const psp_document_mask[PSP_DOCUMENT_MASK] = {
    "cloud_func_response_time",
    "reg_service_response_time",
    "publish_ns",
    "sources",
};

static psprobe_value *response_time(const psprobe_row *row, const char *source) {
  for (size_t i = 0; i < row->run->source_count; i++) {
    const psprobe_answer *answer = &row->result.answers[i];
    if (psp_text_equal(row->run->sources[i], source))
      return psp_field_known(psprobe_answer_came(answer->status), answer->elapsed_ns);
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

bool psp_status_named(const char *text, psprobe_status *status) {
  for (int s = PSPROBE_LOST; s <= PSPROBE_UNCERTAIN; s++) {
    if (!psp_text_equal(text, psp_status_name((psprobe_status)s))) continue;
    *status = (psprobe_status)s;
    return true;
  }
  return false;
}

const char *psp_ending_name(psprobe_ending ending) {
  static const char *const names[] = {[PSPROBE_ENDING_FINISHED] = "finished",
                                      [PSPROBE_ENDING_STOPPED] = "stopped",
                                      [PSPROBE_ENDING_INTERRUPTED] = "interrupted"};
  return names[ending];
}

/* What was told: a field that was not is not there, so that a document without facts is as before.
 */
static void put_told(psprobe_value *map, const char *key, int64_t value, bool *good) {
  if (value > 0) psp_field_put(map, key, psprobe_value_integer(value), good);
}

static void put_told_time(psprobe_value *map, const char *key, int64_t wall_ns, bool *good) {
  if (wall_ns > 0) psp_field_put(map, key, psp_field_time(wall_ns), good);
}

static void put_facts(psprobe_value *map, const psprobe_facts *facts, bool *good) {
  static const char *const stamps[PSPROBE_STAMPS] = {"t1_ns", "t2_ns", "t3_ns", "t4_ns"};
  if (facts->instance[0] != '\0')
    psp_field_put(map, "instance", psprobe_value_string(facts->instance), good);
  put_told(map, "invocation", facts->invocation, good);
  put_told(map, "attempt", facts->delivery_attempt, good);
  put_told(map, "age_ns", facts->age_ns, good);
  put_told(map, "ready_ns", facts->ready_ns, good);
  put_told_time(map, "published_at", facts->published_wall_ns, good);
  put_told(map, "published_ns", facts->published_wall_ns, good);
  put_told(map, "arrived_ns", facts->arrived_wall_ns, good);
  put_told(map, "sent_ns", facts->sent_wall_ns, good);
  for (size_t i = 0; i < PSPROBE_STAMPS; i++)
    put_told(map, stamps[i], facts->exchange_wall_ns[i], good);
}

static psprobe_value *answer_map(const psprobe_row *row, const psprobe_answer *answer) {
  psprobe_value *map = psprobe_value_map();
  bool good = map != NULL, there = psprobe_answer_came(answer->status);
  int64_t received = row->result.sent_wall_ns + answer->elapsed_ns;
  psp_field_put(map, "elapsed_ns", psp_field_known(there, answer->elapsed_ns), &good);
  psp_field_put(map, "received_at", there ? psp_field_time(received) : psprobe_value_null(), &good);
  psp_field_put(map, "status", psprobe_value_string(psp_status_name(answer->status)), &good);
  psp_field_put(map, "duplicates", psprobe_value_integer(answer->duplicates), &good);
  psp_field_put(map, "cold", psprobe_value_boolean(answer->cold), &good);
  psp_field_put(map, "handled_ns",
                psp_field_known(there && answer->handled_ns >= 0, answer->handled_ns), &good);
  put_told(map, "received_ns", answer->received_wall_ns, &good);
  put_facts(map, &answer->facts, &good);
  return psp_fields_finish(map, good);
}

psprobe_value *psprobe_result_document(const psprobe_row *row) {
  const psprobe_result *result = &row->result;
  psprobe_value *map = psprobe_value_map(), *sources = psprobe_value_map();
  bool good = map != NULL;
  for (size_t i = 0; i < row->run->source_count; i++)
    psp_field_put(sources, row->run->sources[i], answer_map(row, &result->answers[i]), &good);
  psp_field_put(map, "arbitrary_message_id", psprobe_value_string(result->id), &good);
  psp_field_put(map, "probe_sent", psp_field_time(result->sent_wall_ns), &good);
  psp_field_put(map, "cloud_func_response_time", response_time(row, PSPROBE_CLOUD_FUNCTION), &good);
  psp_field_put(map, "reg_service_response_time", response_time(row, PSPROBE_REGULAR_SERVICE),
                &good);
  psp_field_put(map, "saved_at", psp_field_time(row->saved_wall_ns), &good);
  psp_field_put(map, "run_id", psprobe_value_string(row->run->id), &good);
  psp_field_put(map, "publish_ns", psp_field_known(result->publish_ns >= 0, result->publish_ns),
                &good);
  psp_field_put(map, "sources", sources, &good);
  psp_field_put(map, "sent_ns", psprobe_value_integer(result->sent_wall_ns), &good);
  psp_field_put(map, "saved_ns", psprobe_value_integer(row->saved_wall_ns), &good);
  psp_field_put(map, "lateness_ns", psprobe_value_integer(result->lateness_ns), &good);
  if (result->cadence == PSPROBE_CADENCE_COLD)
    psp_field_put(map, "cadence", psprobe_value_string("cold"), &good);
  return psp_fields_finish(map, good);
}
