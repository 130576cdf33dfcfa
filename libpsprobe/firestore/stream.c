/* SPDX-License-Identifier: MIT */
#include "firestore/stream.h"

#include "base/error.h"
#include "base/json_items.h"
#include "client/flow.h"

/* A document of 1 MiB, of which every byte is written as six. */
#define ITEM_MAX ((size_t)8 << 20)

/* An answer on its way. */
typedef struct reading {
  psp_json_items split;
  psp_firestore_items *items;
  psprobe_code code;
  psprobe_error *error;
} reading;

static psprobe_code take_item(reading *r, const psp_buf *text) {
  psp_firestore_items *items = r->items;
  psp_json *json = NULL;
  psprobe_code code = psp_json_parse(text->data, text->len, "an item", &json, r->error);
  if (code != PSPROBE_OK) return psp_firestore_bad_answer(code, items->what, r->error);
  code = psp_firestore_item_error(json, items->what, r->error);
  if (code == PSPROBE_OK) {
    code = items->take(items->arg, json, &items->enough, r->error);
    if (code == PSPROBE_OK) items->taken++;
    if (code == PSPROBE_INVALID_ARGUMENT)
      code = psp_firestore_bad_answer(code, items->what, r->error);
  }
  psp_json_free(json);
  return code;
}

static psprobe_code broken(reading *r, const char *rule) {
  return psp_firestore_bad_answer(psp_fail(r->error, PSPROBE_INVALID_ARGUMENT, "%s", rule),
                                  r->items->what, r->error);
}

static bool take_bytes(void *arg, const char *data, size_t len) {
  reading *r = arg;
  while (r->code == PSPROBE_OK && !r->items->enough) {
    switch (psp_json_items_take(&r->split, &data, &len)) {
      case PSP_JSON_ITEMS_MORE:
        return true;
      case PSP_JSON_ITEMS_ONE:
        r->code = take_item(r, &r->split.item);
        break;
      case PSP_JSON_ITEMS_LARGE:
        r->code = broken(r, "an item is larger than 8 MiB");
        break;
      case PSP_JSON_ITEMS_BROKEN:
        r->code = broken(r, "it is no JSON array");
        break;
    }
  }
  return false;
}

static psprobe_code finish(reading *r) {
  if (r->code == PSPROBE_OK && !r->items->enough && !psp_json_items_whole(&r->split))
    r->code = broken(r, "it ends in its middle");
  psp_json_items_free(&r->split);
  return r->code;
}

psprobe_code psp_firestore_items_read(psp_firestore_items *items, const char *text, size_t len,
                                      size_t piece, psprobe_error *error) {
  reading r = {.split = {.most = ITEM_MAX}, .items = items, .error = error};
  for (size_t at = 0; at < len; at += piece)
    if (!take_bytes(&r, text + at, len - at < piece ? len - at : piece)) break;
  return finish(&r);
}

/* What can be called off by another is read once it is there. */
static psprobe_code read_whole(psprobe_client *client, const psp_call *call, psp_stopper *stopper,
                               psp_firestore_items *items, psprobe_error *error) {
  psp_buf body = {0};
  psprobe_code code = psp_call_run_until(client, call, stopper, &body, error);
  if (code == PSPROBE_OK)
    code = psp_firestore_items_read(items, body.data, body.len, body.len, error);
  psp_buf_free(&body);
  return code;
}

psprobe_code psp_firestore_stream(psprobe_client *client, const psp_firestore_request *request,
                                  psp_firestore_items *items, psprobe_error *error) {
  psp_call call;
  psprobe_code code = psp_firestore_prepare(request, &call, error);
  if (code != PSPROBE_OK) return code;
  if (request->stopper != NULL) return read_whole(client, &call, request->stopper, items, error);
  reading r = {.split = {.most = ITEM_MAX}, .items = items, .error = error};
  code = psp_call_flow(client, &call, take_bytes, &r, error);
  if (code == PSPROBE_OK) return finish(&r);
  psp_json_items_free(&r.split);
  return code;
}

bool psp_firestore_goes_on(const psprobe_error *error) {
  uint32_t codes = psp_firestore_retry(PSP_FIRESTORE_QUERY).codes;
  bool unread = error->code == PSPROBE_INTERNAL && error->http_status == 0;
  return !unread && (codes & PSP_RETRY_ON(error->code)) != 0;
}
