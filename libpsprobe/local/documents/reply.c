/* SPDX-License-Identifier: MIT */
/** @file What the handlers share: parameters, documents and results as JSON, refusals. */
#include "base/text.h"
#include "base/timestamp.h"
#include "firestore/value/json.h"
#include "local/documents/rest.h"

void psp_documents_refuse(psp_documents_request *request, const psprobe_error *error,
                          psp_buf *message) {
  bool own = message != NULL && message->data != NULL && message->len;
  const char *said = error->message[0] != '\0' ? error->message : NULL;
  psp_rest_error(request->exchange, error->code, own ? message->data : said);
  if (message != NULL) psp_buf_free(message);
}

const char *psp_documents_query_text(const psp_documents_request *request, const char *name,
                                     const char *other) {
  const char *text = psp_exchange_query(request->exchange, name, 0);
  return text != NULL ? text : psp_exchange_query(request->exchange, other, 0);
}

psprobe_code psp_documents_query_mask(const psp_documents_request *request, const char *name,
                                      const char *other, psp_documents_mask *mask,
                                      psprobe_error *error) {
  const char *const names[] = {name, other}, *text;
  psprobe_code code = PSPROBE_OK;
  for (size_t i = 0; i < 2; i++)
    for (unsigned n = 0;
         code == PSPROBE_OK && (text = psp_exchange_query(request->exchange, names[i], n)) != NULL;
         n++)
      code = psp_documents_mask_add(mask, text, error);
  return code;
}

void psp_documents_put_time(psp_json_writer *w, const char *key, int64_t us) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_member(w, key,
                      psp_timestamp_format(text, us / 1000000, (int32_t)(us % 1000000) * 1000));
}

void psp_documents_encode(psp_json_writer *w, const psp_stored_document *document,
                          const psp_documents_mask *mask) {
  psprobe_value *picked =
      mask != NULL && mask->set ? psp_documents_mask_pick(mask, document->fields) : NULL;
  const psprobe_value *fields = mask != NULL && mask->set ? picked : document->fields;
  psp_json_begin_object(w);
  psp_json_put_member(w, "name", document->name);
  if (fields == NULL) w->buf->failed = true;
  if (psprobe_value_count(fields) > 0) {
    psp_json_put_key(w, "fields");
    psp_fields_encode(w, fields);
  }
  psp_documents_put_time(w, "createTime", document->create_us);
  psp_documents_put_time(w, "updateTime", document->update_us);
  psp_json_end_object(w);
  psprobe_value_free(picked);
}

void psp_documents_result_encode(psp_json_writer *w, const psp_write_result *result) {
  psp_json_begin_object(w);
  if (result->update_us) psp_documents_put_time(w, "updateTime", result->update_us);
  if (result->count) {
    psp_json_begin_array_member(w, "transformResults");
    for (size_t i = 0; i < result->count; i++)
      psp_value_encode(w, result->transform_results[i]);
    psp_json_end_array(w);
  }
  psp_json_end_object(w);
}

psprobe_code psp_documents_write_one(psp_documents_request *request, const psp_local_write *write,
                                     psp_stored_document *stored, psp_buf *message,
                                     psprobe_error *error) {
  psp_write_result result = {0};
  psp_documents *documents = request->documents;
  psp_documents_begin(documents);
  psprobe_code code = psp_local_write_apply(documents, write, psp_documents_now(documents), &result,
                                            message, error);
  if (code == PSPROBE_OK && stored != NULL)
    code = psp_documents_get(documents, write->name, stored, error);
  psprobe_code end =
      psp_documents_end(documents, code == PSPROBE_OK, code != PSPROBE_OK ? NULL : error);
  psp_write_result_free(&result);
  return code != PSPROBE_OK ? code : end;
}
