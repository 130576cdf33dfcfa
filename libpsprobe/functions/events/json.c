/* SPDX-License-Identifier: MIT */
/** @file An event in CloudEvents' JSON format, written. */
#include <string.h>

#include "functions/events/parts.h"

static void put_data(psp_json_writer *w, const psprobe_event *event) {
  if (event->kind == PSPROBE_DATA_NONE) return;
  psp_json_put_key(w, event->kind == PSPROBE_DATA_BYTES ? "data_base64" : "data");
  if (event->kind == PSPROBE_DATA_JSON)
    psp_json_put_raw(w, event->data, event->data_len);
  else if (event->kind == PSPROBE_DATA_TEXT)
    psp_json_put_text(w, event->data, event->data_len);
  else
    psp_json_put_base64(w, event->data, event->data_len);
}

char *psprobe_event_json(const psprobe_event *event, size_t *len) {
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_json_begin_object(&w);
  psp_json_put_member(&w, "specversion", "1.0");
  psp_json_put_member(&w, "id", event->id);
  psp_json_put_member(&w, "source", event->source);
  psp_json_put_member(&w, "type", event->type);
  psp_json_put_member(&w, "subject", event->subject);
  psp_json_put_member(&w, "time", event->time);
  psp_json_put_member(&w, "datacontenttype", event->datacontenttype);
  psp_json_put_member(&w, "dataschema", event->dataschema);
  for (size_t i = 0; i < event->extension_count; i++)
    psp_json_put_member(&w, event->extensions[i].key, event->extensions[i].value);
  put_data(&w, event);
  psp_json_end_object(&w);
  return psp_buf_take(&text, len);
}
