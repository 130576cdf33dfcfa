/* SPDX-License-Identifier: MIT */
/** @file What became of writes: commit's answer. */
#include <stdlib.h>

#include "base/error.h"
#include "firestore/write.h"

typedef struct outcome {
  psprobe_timestamp update_time;
  psprobe_value *transforms; /* an array; NULL: there were none */
} outcome;

struct psprobe_written {
  psprobe_timestamp time;
  size_t count;
  outcome outcomes[];
};

psprobe_timestamp psprobe_written_time(const psprobe_written *written) {
  return written->time;
}

psprobe_timestamp psprobe_written_update_time(const psprobe_written *written, size_t index) {
  static const psprobe_timestamp none;
  return index < written->count ? written->outcomes[index].update_time : none;
}

const psprobe_value *psprobe_written_transform(const psprobe_written *written, size_t index,
                                               size_t transform) {
  if (index >= written->count || written->outcomes[index].transforms == NULL) return NULL;
  return psprobe_value_at(written->outcomes[index].transforms, transform, NULL);
}

void psprobe_written_free(psprobe_written *written) {
  if (written == NULL) return;
  for (size_t i = 0; i < written->count; i++)
    psprobe_value_free(written->outcomes[i].transforms);
  free(written);
}

static psprobe_code decode_time(const psp_json *json, psprobe_timestamp *time,
                                psprobe_error *error) {
  if (psp_timestamp_decode(json, time)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a time that is none");
}

static psprobe_code decode_outcome(const psp_json *json, outcome *out, psprobe_error *error) {
  psprobe_code code =
      decode_time(psp_json_get2(json, "updateTime", "update_time"), &out->update_time, error);
  const psp_json *results = psp_json_get2(json, "transformResults", "transform_results");
  if (code == PSPROBE_OK && results != NULL && (out->transforms = psprobe_value_array()) == NULL)
    return psp_fail_memory(error, "results of writes");
  for (const psp_json *item = psp_json_first(results); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item)) {
    psprobe_value *value = NULL;
    code = psp_value_decode(item, &value, error);
    if (code == PSPROBE_OK && !psprobe_value_append(out->transforms, value))
      code = psp_fail_memory(error, "results of writes");
  }
  return code;
}

psprobe_code psp_commit_decode(const psp_json *answer, size_t count, psprobe_written **written,
                               psprobe_error *error) {
  const psp_json *results = psp_json_get2(answer, "writeResults", "write_results");
  size_t got = psp_json_is_array(results) ? psp_json_count(results) : 0;
  if (got != count)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%zu results for %zu writes", got, count);
  if (written == NULL) return PSPROBE_OK;
  psprobe_written *made = calloc(1, sizeof *made + count * sizeof *made->outcomes);
  if (made == NULL) return psp_fail_memory(error, "results of writes");
  psprobe_code code =
      decode_time(psp_json_get2(answer, "commitTime", "commit_time"), &made->time, error);
  for (const psp_json *item = psp_json_first(results); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item))
    code = decode_outcome(item, &made->outcomes[made->count++], error);
  if (code == PSPROBE_OK)
    *written = made;
  else
    psprobe_written_free(made);
  return code;
}
