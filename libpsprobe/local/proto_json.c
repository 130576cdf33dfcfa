/* SPDX-License-Identifier: MIT */
#include "local/proto_json.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "local/broker/settings.h"

/* ---- protobuf to JSON ---- */

static bool put_text(const psp_wire_item *item, psp_json_writer *w) {
  if (!psp_utf8_valid(item->data, item->len)) return false;
  psp_json_put_text(w, item->data, item->len);
  return true;
}

/* seconds 1, nanos 2: of a Duration and a Timestamp alike. */
static bool put_time(psp_proto_kind kind, const psp_wire_item *item, psp_json_writer *w) {
  char text[PSP_SPAN_SIZE > PSP_TIMESTAMP_SIZE ? PSP_SPAN_SIZE : PSP_TIMESTAMP_SIZE];
  psp_span span = {.set = true};
  psp_wire wire = psp_wire_of(item->data, item->len);
  for (psp_wire_item part; psp_wire_next(&wire, &part);) {
    if (part.number == 1) span.seconds = (int64_t)part.value;
    if (part.number == 2) span.nanos = (int32_t)part.value;
  }
  psp_json_put_string(w, kind == PSP_PROTO_DURATION
                             ? psp_span_format(text, span)
                             : psp_timestamp_format(text, span.seconds, span.nanos));
  return !wire.broken;
}

static bool put_mask(const psp_wire_item *item, psp_json_writer *w) {
  psp_buf paths = {0};
  psp_wire wire = psp_wire_of(item->data, item->len);
  for (psp_wire_item path; psp_wire_next(&wire, &path);) {
    if (path.number != 1 || path.type != PSP_WIRE_BYTES) continue;
    if (paths.len > 0) psp_buf_char(&paths, ',');
    psp_buf_add(&paths, path.data, path.len);
  }
  bool ok = !wire.broken && !paths.failed && psp_utf8_valid(paths.data, paths.len);
  if (ok) psp_json_put_text(w, paths.data, paths.len);
  psp_buf_free(&paths);
  return ok;
}

static void put_enum(const psp_proto_field *field, uint64_t value, psp_json_writer *w) {
  uint64_t known = 0;
  while (known < value && field->names[known] != NULL)
    known++;
  if (field->names[known] != NULL)
    psp_json_put_string(w, field->names[known]);
  else
    psp_json_put_int64(w, (int64_t)value);
}

static bool put_value(const psp_proto_field *field, const psp_wire_item *item, psp_json_writer *w) {
  switch (field->kind) {
    case PSP_PROTO_STRING:
      return put_text(item, w);
    case PSP_PROTO_BYTES:
      psp_json_put_base64(w, item->data, item->len);
      return true;
    case PSP_PROTO_INT:
      psp_json_put_int64(w, (int64_t)item->value);
      return true;
    case PSP_PROTO_ENUM:
      put_enum(field, item->value, w);
      return true;
    case PSP_PROTO_BOOL:
      psp_json_put_bool(w, item->value != 0);
      return true;
    case PSP_PROTO_MASK:
      return put_mask(item, w);
    case PSP_PROTO_MESSAGE:
      return psp_proto_to_json(field->of, item->data, item->len, w);
    default:
      return put_time(field->kind, item, w);
  }
}

/* An entry of a map: key 1, value 2. */
static bool put_pair(const psp_wire_item *item, psp_json_writer *w) {
  psp_wire_item key = {.data = ""}, value = {.data = ""};
  psp_wire wire = psp_wire_of(item->data, item->len);
  for (psp_wire_item part; psp_wire_next(&wire, &part);) {
    if (part.type != PSP_WIRE_BYTES) continue;
    if (part.number == 1) key = part;
    if (part.number == 2) value = part;
  }
  psp_buf name = {0};
  psp_buf_add(&name, key.data, key.len);
  bool ok = !wire.broken && !name.failed && psp_utf8_valid(name.data, name.len) &&
            memchr(name.data, 0, name.len) == NULL;
  if (ok) psp_json_put_key(w, name.data);
  ok = ok && put_text(&value, w);
  psp_buf_free(&name);
  return ok;
}

static bool fits(const psp_proto_field *field, const psp_wire_item *item) {
  bool number = field->kind == PSP_PROTO_INT || field->kind == PSP_PROTO_ENUM ||
                field->kind == PSP_PROTO_BOOL;
  return item->number == field->number && item->type == (number ? PSP_WIRE_VARINT : PSP_WIRE_BYTES);
}

/* One field: of several values the last, unless it is repeated. */
static bool put_field(const psp_proto_field *field, psp_wire wire, psp_json_writer *w) {
  bool any = false, ok = true, pairs = field->kind == PSP_PROTO_PAIRS;
  psp_wire_item last = {0};
  for (psp_wire_item item; ok && psp_wire_next(&wire, &item);) {
    if (!fits(field, &item)) continue;
    if (!any) psp_json_put_key(w, field->name);
    if (!any && pairs) psp_json_begin_object(w);
    if (!any && field->repeated) psp_json_begin_array(w);
    any = true;
    last = item;
    if (pairs)
      ok = put_pair(&item, w);
    else if (field->repeated)
      ok = put_value(field, &item, w);
  }
  if (!any || !ok) return ok;
  if (pairs)
    psp_json_end_object(w);
  else if (field->repeated)
    psp_json_end_array(w);
  else
    ok = put_value(field, &last, w);
  return ok;
}

bool psp_proto_to_json(const psp_proto_field *fields, const void *bytes, size_t len,
                       psp_json_writer *w) {
  psp_wire wire = psp_wire_of(bytes, len), whole = wire;
  psp_wire_item item;
  while (psp_wire_next(&wire, &item)) {
  }
  bool ok = !wire.broken;
  psp_json_begin_object(w);
  for (; ok && fields->number != 0; fields++)
    ok = put_field(fields, whole, w);
  psp_json_end_object(w);
  return ok && !w->buf->failed;
}

/* ---- JSON to protobuf ---- */

static void take_time(const psp_proto_field *field, const char *text, psp_buf *out) {
  psp_buf time = {0};
  psp_span span = {0};
  bool known = field->kind == PSP_PROTO_DURATION
                   ? psp_span_parse(text, &span)
                   : psp_timestamp_parse(text, strlen(text), &span.seconds, &span.nanos);
  if (!known) return;
  if (span.seconds != 0) psp_wire_put_int(&time, 1, span.seconds);
  if (span.nanos != 0) psp_wire_put_int(&time, 2, span.nanos);
  psp_wire_put_bytes(out, field->number, time.data, time.len);
  psp_buf_free(&time);
}

static void take_text(const psp_proto_field *field, const psp_json *json, psp_buf *out) {
  psp_buf text = {0}, bytes = {0};
  if (psp_json_text(json, &text)) {
    if (field->kind == PSP_PROTO_STRING)
      psp_wire_put_bytes(out, field->number, text.data, text.len);
    else if (psp_base64_decode(&bytes, text.data != NULL ? text.data : "", text.len))
      psp_wire_put_bytes(out, field->number, bytes.data, bytes.len);
  }
  psp_buf_free(&text);
  psp_buf_free(&bytes);
}

static void take_pairs(const psp_proto_field *field, const psp_json *json, psp_buf *out) {
  static const psp_proto_field value = {.number = 2};
  psp_buf pair = {0};
  for (const psp_json *one = psp_json_first(json); one != NULL; one = psp_json_next(one)) {
    psp_buf_reset(&pair);
    psp_wire_put_text(&pair, 1, psp_json_key(one));
    take_text(&value, one, &pair);
    psp_wire_put_bytes(out, field->number, pair.data, pair.len);
  }
  psp_buf_free(&pair);
}

static void take_message(const psp_proto_field *field, const psp_json *json, psp_buf *out) {
  psp_buf part = {0};
  psp_proto_from_json(field->of, json, &part);
  psp_wire_put_bytes(out, field->number, part.data, part.len);
  psp_buf_free(&part);
}

static void take_enum(const psp_proto_field *field, const psp_json *json, psp_buf *out) {
  int64_t number = 0;
  const char *name = psp_json_string(json);
  while (name != NULL && field->names[number] != NULL && strcmp(field->names[number], name) != 0)
    number++;
  bool known = name != NULL ? field->names[number] != NULL : psp_json_int64(json, &number);
  if (known) psp_wire_put_int(out, field->number, number);
}

static void take_value(const psp_proto_field *field, const psp_json *json, psp_buf *out) {
  int64_t number;
  bool yes;
  const char *text = psp_json_string(json);
  switch (field->kind) {
    case PSP_PROTO_STRING:
    case PSP_PROTO_BYTES:
      take_text(field, json, out);
      break;
    case PSP_PROTO_INT:
      if (psp_json_int64(json, &number)) psp_wire_put_int(out, field->number, number);
      break;
    case PSP_PROTO_ENUM:
      take_enum(field, json, out);
      break;
    case PSP_PROTO_BOOL:
      if (psp_json_bool(json, &yes)) psp_wire_put_int(out, field->number, yes);
      break;
    case PSP_PROTO_MESSAGE:
      take_message(field, json, out);
      break;
    case PSP_PROTO_PAIRS:
      take_pairs(field, json, out);
      break;
    default:
      if (text != NULL && field->kind != PSP_PROTO_MASK) take_time(field, text, out);
      break;
  }
}

void psp_proto_from_json(const psp_proto_field *fields, const psp_json *json, psp_buf *out) {
  for (; fields->number != 0; fields++) {
    const psp_json *value = psp_json_get(json, fields->name);
    if (value == NULL) continue;
    if (!fields->repeated) {
      take_value(fields, value, out);
      continue;
    }
    for (const psp_json *item = psp_json_first(value); item != NULL; item = psp_json_next(item))
      take_value(fields, item, out);
  }
}
