/* SPDX-License-Identifier: MIT */
/** @file The simple form: the function writes a document by itself, and trusts two clocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/firestore.h>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "firestore/document.h"
#include "firestore/path.h"
#include "os/clock.h"
#include "responder/parts.h"

/* "69.3ms": as the duration is written elsewhere, without the space. */
static void format_elapsed(char out[PSP_DURATION_SIZE], int64_t ns) {
  psp_format_duration(out, ns);
  char *space = strchr(out, ' ');
  if (space != NULL) memmove(space, space + 1, strlen(space));
}

static psprobe_value *fields_of(const psprobe_responder *responder, psprobe_timestamp published,
                                int64_t now_ns) {
  char elapsed[PSP_DURATION_SIZE];
  format_elapsed(elapsed, now_ns - (published.seconds * PSP_SECOND_NS + published.nanos));
  psprobe_timestamp now = {now_ns / PSP_SECOND_NS, (int32_t)(now_ns % PSP_SECOND_NS)};
  psprobe_value *fields = psprobe_value_map();
  bool ok = psprobe_value_set(fields, "publish_time", psprobe_value_timestamp(published)) &&
            psprobe_value_set(fields, "source", psprobe_value_string(responder->source)) &&
            psprobe_value_set(fields, "saved_at", psprobe_value_timestamp(now)) &&
            psprobe_value_set(fields, "elapsed", psprobe_value_string(elapsed));
  if (ok) return fields;
  psprobe_value_free(fields);
  return NULL;
}

/*
 * One message makes one document, however often it is delivered: its id comes
 * from the source and the probe's id, or else from what Pub/Sub calls the
 * message (with the time, since an emulator counts from 1 each time it starts).
 */
static void put_document_id(psp_buf *path, const psprobe_responder *responder,
                            const psprobe_message *message) {
  char id[256];
  const char *probe_id = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_ID);
  uint64_t parsed[2];
  if (probe_id != NULL && psp_id_parse(probe_id, parsed))
    snprintf(id, sizeof id, "%s-%s", responder->source, probe_id);
  else
    snprintf(id, sizeof id, "%s-%.100s-%lld.%09d", responder->source,
             message->message_id != NULL ? message->message_id : "",
             (long long)message->publish_time.seconds, (int)message->publish_time.nanos);
  psp_path_encode_id(path, id);
}

static void on_written(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psp_answering *answering = arg;
  /* There already: an earlier delivery of the message has written it. */
  bool ok = response != NULL || error->code == PSPROBE_ALREADY_EXISTS;
  psprobe_code code = ok ? PSPROBE_OK : error->code;
  /* That is said of messages; this is about our collection or project. */
  if (code == PSPROBE_INVALID_ARGUMENT) code = PSPROBE_FAILED_PRECONDITION;
  psp_answering_end(answering, code, ok ? NULL : error);
  free(answering);
}

static psprobe_code write_document(psp_answering *answering, const psprobe_message *message,
                                   const psprobe_value *fields, psprobe_error *error) {
  psprobe_responder *responder = answering->responder;
  psp_buf path = {0}, body = {0};
  psp_json_writer writer = {.buf = &body};
  char what[300];
  psp_path_url(&path, responder->root.project, responder->root.database, responder->collection);
  psp_buf_text(&path, "?documentId=");
  put_document_id(&path, responder, message);
  psp_document_encode(&writer, NULL, fields);
  snprintf(what, sizeof what, "create document in %s", responder->collection);
  psp_call call = {.service = PSP_FIRESTORE,
                   .method = "POST",
                   .path = path.data,
                   .body = body.data,
                   .body_len = body.len,
                   .total_ns = responder->timeout_ns,
                   .retry = psp_firestore_retry(PSP_FIRESTORE_WRITE),
                   .what = what};
  psprobe_code code = PSPROBE_RESOURCE_EXHAUSTED;
  if (path.failed || body.failed)
    psp_fail_memory(error, what);
  else
    code = psp_call_start(responder->client, &call, on_written, answering, NULL, error);
  psp_buf_free(&path);
  psp_buf_free(&body);
  return code;
}

psprobe_code psp_answer_by_document(const psp_answering *answering, const psprobe_message *message,
                                    psprobe_error *error) {
  if (message->publish_time.seconds == 0 && message->publish_time.nanos == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "message %s has no publish time: there is nothing to measure",
                    message->message_id != NULL ? message->message_id : "without id");
  psprobe_value *fields =
      fields_of(answering->responder, message->publish_time, psprobe_clock_wall());
  psp_answering *copy = malloc(sizeof *copy);
  psprobe_code code = PSPROBE_RESOURCE_EXHAUSTED;
  if (fields == NULL || copy == NULL) {
    psp_fail_memory(error, "an answer");
  } else {
    *copy = *answering;
    code = write_document(copy, message, fields, error);
  }
  if (code != PSPROBE_OK) free(copy);
  psprobe_value_free(fields);
  return code;
}
