/* SPDX-License-Identifier: MIT */
#include "pubsub/proto_publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "pubsub/packed.h"
#include "pubsub/trace.h"
#include "pubsub/wire/proto.pb-c.h"

static ProtobufCBinaryData bytes_of(const void *data, size_t len) {
  return (ProtobufCBinaryData){len, (uint8_t *)data};
}

static ProtobufCBinaryData text_of(const char *text) {
  return text != NULL ? bytes_of(text, strlen(text)) : bytes_of(NULL, 0);
}

static bool give_attributes(psp_arena *a, Psp__PubsubMessage *m, const psprobe_message *message) {
  psprobe_attribute trace[2];
  const size_t own = message->attribute_count, traced = psp_trace_attributes(message, trace);
  if (own + traced == 0) return true;
  m->attributes = psp_arena_alloc(a, (own + traced) * sizeof *m->attributes);
  Psp__Attribute *pairs = psp_arena_alloc(a, (own + traced) * sizeof *pairs);
  if (m->attributes == NULL || pairs == NULL) return false;
  for (size_t i = 0; i < own + traced; i++) {
    const psprobe_attribute *attribute = i < own ? &message->attributes[i] : &trace[i - own];
    psp__attribute__init(&pairs[i]);
    pairs[i].key = text_of(attribute->key);
    pairs[i].value = text_of(attribute->value);
    m->attributes[i] = &pairs[i];
  }
  m->n_attributes = own + traced;
  return true;
}

void psp_proto_publish(psp_buf *out, const char *topic, const psprobe_message *messages,
                       size_t count) {
  Psp__PublishRequest request = PSP__PUBLISH_REQUEST__INIT;
  psp_arena a;
  psp_arena_open(&a, SIZE_MAX);
  request.topic = (char *)topic;
  request.messages = psp_arena_alloc(&a, count * sizeof *request.messages);
  Psp__PubsubMessage *all = psp_arena_alloc(&a, count * sizeof *all);
  bool ok = request.messages != NULL && all != NULL;
  for (size_t i = 0; ok && i < count; i++) {
    psp__pubsub_message__init(&all[i]);
    all[i].data = bytes_of(messages[i].data, messages[i].data_len);
    all[i].ordering_key = text_of(messages[i].ordering_key);
    request.messages[request.n_messages++] = &all[i];
    ok = give_attributes(&a, &all[i], &messages[i]);
  }
  if (ok)
    psp_pack(out, &request.base);
  else
    out->failed = true;
  psp_arena_close(&a);
}

/* Every id is a text. */
static bool are_texts(const ProtobufCBinaryData *list, size_t count, size_t *size) {
  for (size_t i = 0; i < count; i++) {
    const char *text = (const char *)list[i].data;
    if (list[i].len == 0 || memchr(text, 0, list[i].len) != NULL ||
        !psp_utf8_valid(text, list[i].len))
      return false;
    *size += list[i].len + 1;
  }
  return true;
}

static const char **copy_ids(const ProtobufCBinaryData *list, size_t count, size_t size) {
  const char **ids = malloc(count * sizeof *ids + size);
  if (ids == NULL) return NULL;
  char *at = (char *)(ids + count);
  for (size_t i = 0; i < count; i++) {
    ids[i] = memcpy(at, list[i].data, list[i].len);
    at[list[i].len] = '\0';
    at += list[i].len + 1;
  }
  return ids;
}

psprobe_code psp_proto_published(const void *bytes, size_t len, size_t count, const char ***ids,
                                 psprobe_error *error) {
  psp_arena a;
  const Psp__PublishResponse *response =
      psp_unpack(&a, &psp__publish_response__descriptor, bytes, len);
  const size_t came = response != NULL ? response->n_message_ids : 0;
  const char **made = NULL;
  size_t size = 0;
  psprobe_code code = PSPROBE_OK;
  if (a.starved)
    code = psp_fail_memory(error, "publish answer");
  else if (came != count)
    code =
        psp_fail(error, PSPROBE_INTERNAL, "publish answer: %zu ids for %zu messages", came, count);
  else if (!are_texts(response->message_ids, count, &size))
    code = psp_fail(error, PSPROBE_INTERNAL, "publish answer: an id is not text");
  else if ((made = copy_ids(response->message_ids, count, size)) == NULL)
    code = psp_fail_memory(error, "message ids");
  psp_arena_close(&a);
  if (code == PSPROBE_OK) *ids = made;
  return code;
}
