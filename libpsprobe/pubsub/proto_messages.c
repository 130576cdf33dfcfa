/* SPDX-License-Identifier: MIT */
/** @file Messages as gRPC carries them, read where they lie, twice: once to look at all of it and
 * to count, once in a copy that the batch owns, whose texts get a zero behind each. */
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "pubsub/messages.h"
#include "pubsub/proto.h"
#include "pubsub/reader.h"
#include "pubsub/trace.h"

#define ZERO          "\xef\xbf\xbd" /* C texts end at a zero byte: it reads U+FFFD */
#define UNPACKED_MOST 8 /* times what came: empty messages by the million are refused */
#define UNPACKED_FREE ((size_t)256 << 10)

static const char no_protobuf[] = "";

typedef struct reading {
  psprobe_batch *batch; /* NULL: for the first time */
  const char *wrong;    /* NULL: nothing */
  size_t messages, attributes;
  size_t more; /* room that texts with zeros take besides */
  char *end;   /* of the text that was read last: its zero goes where the next field begins */
} reading;

/* ---- fields ---- */

static bool next(reading *r, psp_reader *in, psp_read_field *f) {
  if (r->wrong != NULL) return false;
  if (!psp_reader_next(in, f)) {
    r->wrong = in->broken ? no_protobuf : NULL;
    return false;
  }
  if (r->end != NULL) *r->end = '\0';
  r->end = NULL;
  return true;
}

static bool is(reading *r, const psp_read_field *f, psp_read_type type) {
  if (f->type != type) r->wrong = no_protobuf;
  return f->type == type;
}

static const char *without_zeros(reading *r, const psp_read_field *f) {
  psp_buf *text = &r->batch->text;
  const char *out = text->data + text->len;
  for (size_t i = 0; i < f->len; i++)
    if (f->data[i] == '\0')
      psp_buf_text(text, ZERO);
    else
      psp_buf_char(text, f->data[i]);
  psp_buf_char(text, '\0');
  return out;
}

/* An empty one is none. */
static void read_text(reading *r, const psp_read_field *f, const char *wrong, const char **out) {
  *out = NULL;
  if (!is(r, f, PSP_READ_BYTES) || f->len == 0) return;
  const bool first = r->batch == NULL;
  const bool zeros = (first || r->more > 0) && memchr(f->data, 0, f->len) != NULL;
  *out = f->data;
  if (first) {
    if (!psp_utf8_valid(f->data, f->len)) r->wrong = wrong;
    if (zeros) r->more += f->len * strlen(ZERO) + 1;
  } else if (zeros) {
    *out = without_zeros(r, f);
  } else {
    r->end = f->data + f->len;
  }
}

static void read_data(reading *r, const psp_read_field *f, psprobe_message *m) {
  if (!is(r, f, PSP_READ_BYTES)) return;
  m->data = f->len > 0 ? f->data : NULL;
  m->data_len = f->len;
  if (r->batch != NULL && f->len > 0) r->end = f->data + f->len;
}

/* ---- messages ---- */

static void read_attribute(reading *r, const psp_read_field *pair, psprobe_message *m) {
  psprobe_attribute looked_at,
      *a = r->batch != NULL ? &r->batch->attributes[r->attributes] : &looked_at;
  psp_read_field f;
  *a = (psprobe_attribute){.key = NULL};
  if (!is(r, pair, PSP_READ_BYTES)) return;
  if (m->attribute_count++ == 0) m->attributes = a;
  r->attributes++;
  for (psp_reader in = psp_reader_of(pair->data, pair->len); next(r, &in, &f);)
    if (f.number == 1)
      read_text(r, &f, "an attribute's key is not UTF-8", &a->key);
    else if (f.number == 2)
      read_text(r, &f, "an attribute is not UTF-8", &a->value);
  if (a->key == NULL) a->key = "";
  if (a->value == NULL) a->value = "";
}

/* google.protobuf.Timestamp is of the years 1 to 9999. */
static void read_time(reading *r, const psp_read_field *time, psprobe_timestamp *out) {
  psp_read_field f;
  if (!is(r, time, PSP_READ_BYTES)) return;
  for (psp_reader in = psp_reader_of(time->data, time->len); next(r, &in, &f);)
    if (f.number == 1 && is(r, &f, PSP_READ_VARINT))
      out->seconds = (int64_t)f.value;
    else if (f.number == 2 && is(r, &f, PSP_READ_VARINT))
      out->nanos = (int32_t)f.value;
  if (out->seconds < INT64_C(-62135596800) || out->seconds > INT64_C(253402300799) ||
      out->nanos < 0 || out->nanos > 999999999)
    r->wrong = r->wrong != NULL ? r->wrong : "publish_time is none";
}

static void read_content(reading *r, const psp_read_field *content, psprobe_message *m) {
  psp_read_field f;
  if (!is(r, content, PSP_READ_BYTES)) return;
  for (psp_reader in = psp_reader_of(content->data, content->len); next(r, &in, &f);)
    if (f.number == 1)
      read_data(r, &f, m);
    else if (f.number == 2)
      read_attribute(r, &f, m);
    else if (f.number == 3)
      read_text(r, &f, "message_id is not UTF-8", &m->message_id);
    else if (f.number == 4)
      read_time(r, &f, &m->publish_time);
    else if (f.number == 5)
      read_text(r, &f, "ordering_key is not UTF-8", &m->ordering_key);
}

/* What a whole message comes into. */
static psprobe_message *begin_message(reading *r, psprobe_message *looked_at) {
  *looked_at = (psprobe_message){.data = NULL};
  return r->batch != NULL ? &r->batch->messages[r->messages] : looked_at;
}

static void read_received(reading *r, const psp_read_field *received) {
  psprobe_message looked_at, *m = begin_message(r, &looked_at);
  psp_read_field f;
  bool there = false;
  if (!is(r, received, PSP_READ_BYTES)) return;
  for (psp_reader in = psp_reader_of(received->data, received->len); next(r, &in, &f);)
    if (f.number == 1) {
      read_text(r, &f, "ack_id is not UTF-8", &m->ack_id);
    } else if (f.number == 2) {
      there = true;
      read_content(r, &f, m);
    } else if (f.number == 3 && is(r, &f, PSP_READ_VARINT)) {
      m->delivery_attempt = (int32_t)f.value;
    }
  if (r->wrong != NULL) return;
  r->wrong = !there                    ? "message is missing"
             : m->ack_id == NULL       ? "ack_id is missing"
             : m->delivery_attempt < 0 ? "delivery_attempt is below 0"
                                       : NULL;
  if (r->wrong == NULL) r->messages++;
}

/* ---- all of them ---- */

static void read_properties(reading *r, const psp_read_field *properties,
                            psp_stream_answer *answer) {
  psp_read_field f;
  if (!is(r, properties, PSP_READ_BYTES)) return;
  answer->told = true;
  for (psp_reader in = psp_reader_of(properties->data, properties->len); next(r, &in, &f);)
    if (f.number == 1 && is(r, &f, PSP_READ_VARINT))
      answer->exactly_once = f.value != 0;
    else if (f.number == 2 && is(r, &f, PSP_READ_VARINT))
      answer->ordered = f.value != 0;
}

typedef void read_all(reading *r, psp_reader in, psp_stream_answer *answer);

static void read_answer(reading *r, psp_reader in, psp_stream_answer *answer) {
  psp_read_field f;
  while (next(r, &in, &f))
    if (f.number == 1)
      read_received(r, &f);
    else if (f.number == 4)
      read_properties(r, &f, answer);
}

static void read_publish(reading *r, psp_reader in, psp_stream_answer *answer) {
  psprobe_message looked_at;
  psp_read_field f;
  (void)answer;
  while (next(r, &in, &f))
    if (f.number == 2) {
      read_content(r, &f, begin_message(r, &looked_at));
      r->messages++;
    }
}

static psprobe_code refuse(const reading *r, size_t len, psprobe_error *error) {
  if (r->wrong == no_protobuf)
    return psp_fail(error, PSPROBE_INTERNAL, "%zu bytes that are no answer of Pub/Sub", len);
  return psp_fail(error, PSPROBE_INTERNAL, "received_messages[%zu]: %s", r->messages, r->wrong);
}

static psprobe_code read_twice(const void *bytes, size_t len, read_all *read,
                               psp_stream_answer *answer, psprobe_error *error) {
  reading once = {.batch = NULL};
  read(&once, psp_reader_of(bytes, len), answer);
  const size_t unpacked =
      once.messages * sizeof(psprobe_message) + once.attributes * sizeof(psprobe_attribute);
  if (once.wrong == NULL && unpacked > UNPACKED_FREE + len * UNPACKED_MOST)
    once.wrong = no_protobuf;
  if (once.wrong != NULL) return refuse(&once, len, error);
  reading again = {.more = once.more};
  again.batch = psp_batch_new(once.messages, once.attributes, len + 1 + once.more);
  if (again.batch == NULL) return psp_fail_memory(error, "messages");
  psp_buf *text = &again.batch->text;
  psp_buf_add(text, bytes, len);
  psp_buf_char(text, '\0'); /* behind the last text */
  read(&again, psp_reader_of(text->data, len), answer);
  answer->batch = again.batch;
  return PSPROBE_OK;
}

psprobe_code psp_proto_publish_read(const void *bytes, size_t len, psprobe_batch **out,
                                    psprobe_error *error) {
  psp_stream_answer read = {.batch = NULL};
  psprobe_code code = read_twice(bytes, len, read_publish, &read, error);
  if (code == PSPROBE_OK) *out = read.batch;
  return code;
}

psprobe_code psp_proto_stream_answer(const void *bytes, size_t len, psp_stream_answer *answer,
                                     psprobe_error *error) {
  psp_stream_answer read = {.batch = NULL};
  psprobe_code code = read_twice(bytes, len, read_answer, &read, error);
  if (code != PSPROBE_OK) return code;
  for (size_t i = 0; i < read.batch->count; i++)
    psp_trace_read(&read.batch->messages[i]);
  if (read.batch->count == 0) {
    psprobe_batch_free(read.batch);
    read.batch = NULL;
  }
  *answer = read;
  return PSPROBE_OK;
}
