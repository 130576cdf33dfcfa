/* SPDX-License-Identifier: MIT */
/** @file The memory of settings that were read: a JSON document, which their texts lie in. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "pubsub/admin/settings.h"
#include "pubsub/parts.h"

psprobe_code psp_admin_memory_read(const char *body, size_t len, const char *what,
                                   psp_admin_memory **memory, psprobe_error *error) {
  psp_admin_memory *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, what);
  psprobe_code code = psp_answer_parse(body, len, what, &made->json, error);
  if (code == PSPROBE_OK)
    *memory = made;
  else
    free(made);
  return code;
}

void psp_admin_memory_free(psp_admin_memory *memory) {
  if (memory == NULL) return;
  psp_json_free(memory->json);
  free(memory->labels);
  free(memory->regions);
  free(memory->passed[0]);
  free(memory->passed[1]);
  free(memory);
}

const psprobe_attribute *psp_admin_labels(psp_admin_memory *memory, size_t *count) {
  const psp_json *labels = psp_json_get(memory->json, "labels");
  size_t room = psp_json_is_object(labels) ? psp_json_count(labels) : 0, n = 0;
  *count = 0;
  if (room == 0) return NULL;
  memory->labels = calloc(room, sizeof *memory->labels);
  memory->failed = memory->failed || memory->labels == NULL;
  if (memory->labels == NULL) return NULL;
  for (const psp_json *label = psp_json_first(labels); label != NULL; label = psp_json_next(label))
    if (psp_json_string(label) != NULL)
      memory->labels[n++] = (psprobe_attribute){psp_json_key(label), psp_json_string(label)};
  *count = n;
  return memory->labels;
}

const char *psp_admin_passed(psp_admin_memory *memory, int which, const char *name) {
  const psp_json *json = psp_json_get(memory->json, name);
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  if (!psp_json_is_object(json)) return NULL;
  psp_json_put_json(&w, json);
  memory->passed[which] = psp_buf_take(&text, NULL);
  memory->failed = memory->failed || memory->passed[which] == NULL;
  return memory->passed[which];
}

const char *psp_admin_text(const psp_json *json, const char *name) {
  const char *text = psp_json_string(psp_json_get(json, name));
  return text != NULL && *text != 0 ? text : NULL;
}
