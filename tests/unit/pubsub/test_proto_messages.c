/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proto_bytes.h"
#include "pubsub/packed.h"
#include "pubsub/proto.h"
#include "pubsub/wire/proto.pb-c.h"

#define BYTES(text) text, sizeof(text) - 1

static psprobe_code decode(const psp_buf *bytes, psp_stream_answer *answer, psprobe_error *error) {
  *answer = (psp_stream_answer){.batch = NULL};
  return psp_proto_stream_answer(bytes->data, bytes->len, answer, error);
}

static void assert_refused(psp_buf *bytes, const char *why) {
  psp_stream_answer answer;
  psprobe_error error = {0};
  assert_int_equal(decode(bytes, &answer, &error), PSPROBE_INTERNAL);
  if (strstr(error.message, why) == NULL) fail_msg("\"%s\" in: %s", why, error.message);
  assert_null(answer.batch);
  psp_buf_free(bytes);
}

static void test_a_message(void **state) {
  (void)state;
  psp_buf inner = {0}, received = {0}, all = {0};
  psp_stream_answer answer;
  psprobe_error error = {0};
  proto_text(&inner, 1, BYTES("\x01\x00\xff"));
  proto_pair(&inner, 2, "k", "v");
  proto_pair(&inner, 2, "e", "");
  proto_text(&inner, 3, BYTES("17"));
  proto_text(&inner, 4, BYTES("\x08\xc8\xf6\x98\xd8\x06\x10\x7b")); /* 1795570504 s, 123 ns */
  proto_text(&inner, 5, BYTES("o"));
  proto_text(&received, 1, BYTES("ack"));
  proto_text(&received, 2, inner.data, inner.len);
  proto_number(&received, 3, 4);
  proto_text(&all, 1, received.data, received.len);
  proto_text(&all, 4, BYTES("\x08\x01\x10\x01"));
  assert_int_equal(decode(&all, &answer, &error), PSPROBE_OK);
  assert_true(answer.told && answer.exactly_once && answer.ordered);
  assert_int_equal(psprobe_batch_count(answer.batch), 1);
  const psprobe_message *m = psprobe_batch_message(answer.batch, 0);
  assert_int_equal(m->data_len, 3);
  assert_memory_equal(m->data, "\x01\x00\xff", 4); /* with a zero behind */
  assert_string_equal(psprobe_message_attribute(m, "k"), "v");
  assert_string_equal(psprobe_message_attribute(m, "e"), "");
  assert_string_equal(m->message_id, "17");
  assert_string_equal(m->ack_id, "ack");
  assert_string_equal(m->ordering_key, "o");
  assert_int_equal(m->publish_time.seconds, 1795570504);
  assert_int_equal(m->publish_time.nanos, 123);
  assert_int_equal(m->delivery_attempt, 4);
  psprobe_batch_free(answer.batch);
  psp_buf_free(&inner);
  psp_buf_free(&received);
  psp_buf_free(&all);
}

/* The answer to a ping is empty; Google's emulator says empty confirmations and properties. */
static void test_empty_answers(void **state) {
  (void)state;
  psp_stream_answer answer;
  assert_int_equal(psp_proto_stream_answer(NULL, 0, &answer, NULL), PSPROBE_OK);
  assert_true(answer.batch == NULL && !answer.told);
  psp_buf emulator = {0};
  psp_buf_add(&emulator, BYTES("\x1a\x00\x22\x00\x2a\x00"));
  assert_int_equal(decode(&emulator, &answer, NULL), PSPROBE_OK);
  assert_true(answer.batch == NULL && answer.told && !answer.exactly_once && !answer.ordered);
  psp_buf_free(&emulator);
}

/* Fields that we do not know, of each wire type, are let go, at each depth. */
static void test_unknown_fields(void **state) {
  (void)state;
  psp_buf all = {0};
  psp_stream_answer answer;
  psp_buf inner = proto_received("1", "x");
  psp_buf_add(&inner, BYTES("\xf8\x07\x05\xf1\x07"
                            "12345678"
                            "\xfa\x07\x02hi\xfd\x07"
                            "1234"));
  psp_buf_add(&all, BYTES("\xf8\x07\x05\xfa\x07\x02hi"));
  proto_text(&all, 1, inner.data, inner.len);
  assert_int_equal(decode(&all, &answer, NULL), PSPROBE_OK);
  assert_string_equal(psprobe_batch_message(answer.batch, 0)->ack_id, "1");
  psprobe_batch_free(answer.batch);
  psp_buf_free(&inner);
  psp_buf_free(&all);
}

/* C texts end at a zero, Pub/Sub's do not: all of it is there, with U+FFFD for each. */
static void test_zeros_in_texts(void **state) {
  (void)state;
  psp_buf inner = {0}, received = {0}, all = {0};
  psp_stream_answer answer;
  proto_text(&inner, 2,
             BYTES("\x0a\x03"
                   "a\0b\x12\x04\0\0\0\0"));
  proto_text(&inner, 5, BYTES("\0"));
  proto_text(&received, 1, BYTES("i\0"));
  proto_text(&received, 2, inner.data, inner.len);
  proto_text(&all, 1, received.data, received.len);
  assert_int_equal(decode(&all, &answer, NULL), PSPROBE_OK);
  const psprobe_message *m = psprobe_batch_message(answer.batch, 0);
  assert_string_equal(m->ack_id, "i\xef\xbf\xbd");
  assert_string_equal(m->ordering_key, "\xef\xbf\xbd");
  assert_string_equal(m->attributes[0].key,
                      "a\xef\xbf\xbd"
                      "b");
  assert_string_equal(m->attributes[0].value, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  psprobe_batch_free(answer.batch);
  psp_buf_free(&inner);
  psp_buf_free(&received);
  psp_buf_free(&all);
}

static psp_buf raw(const char *bytes, size_t len) {
  psp_buf out = {0};
  psp_buf_add(&out, bytes, len);
  return out;
}

static void test_what_is_refused(void **state) {
  (void)state;
  const struct {
    const char *bytes;
    size_t len;
    const char *why;
  } cases[] = {
      {BYTES("\x0a\x05"
             "abc"),
       "no answer"}, /* cut */
      {BYTES("\x0a\xff\xff\xff\xff\x7f"
             "a"),
       "no answer"},                                                        /* a length of 32 GiB */
      {BYTES("\x08\x01"), "no answer"},                                     /* a wrong wire type */
      {BYTES("\x0a"), "no answer"},                                         /* a tag alone */
      {BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "no answer"}, /* an endless tag */
      {BYTES("\x22\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "no answer"},
      {BYTES("\x0b\x0c"), "no answer"}, /* groups, which proto3 has none of */
      {BYTES("\x0a\x00"), "message is missing"},
      {BYTES("\x0a\x02\x12\x00"), "ack_id is missing"},
      {BYTES("\x0a\x07\x0a\x01\xff\x12\x02\x0a\x00"), "ack_id is not UTF-8"},
      {BYTES("\x0a\x10\x0a\x01"
             "a\x12\x00\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
       "below 0"},
      {BYTES("\x0a\x09\x0a\x01"
             "a\x12\x04\x22\x02\x10\xff"),
       "no answer"},
      {BYTES("\x0a\x0f\x0a\x01"
             "a\x12\x0a\x22\x08\x10\xff\xff\xff\xff\xff\xff\x7f"),
       "is none"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf bytes = raw(cases[i].bytes, cases[i].len);
    assert_refused(&bytes, cases[i].why);
  }
}

/* Whatever it is cut to, it is refused or is shorter, and nobody reads beyond. */
static void test_cut_anywhere(void **state) {
  (void)state;
  psp_buf one = proto_received("ack", "data"), all = {0};
  proto_text(&all, 1, one.data, one.len);
  proto_text(&all, 1, one.data, one.len);
  for (size_t len = 0; len < all.len; len++) {
    char *exactly = malloc(len + (len == 0));
    psp_stream_answer answer = {.batch = NULL};
    memcpy(exactly, all.data, len);
    psprobe_code code = psp_proto_stream_answer(exactly, len, &answer, NULL);
    assert_int_equal(code == PSPROBE_OK, len == 0 || len == all.len / 2);
    psprobe_batch_free(answer.batch);
    free(exactly);
  }
  psp_buf_free(&one);
  psp_buf_free(&all);
}

/* A few bytes each, and some fifty times as many in memory: not taken. */
static void test_a_million_of_nothing(void **state) {
  (void)state;
  psp_buf all = {0};
  for (int i = 0; i < 1000000; i++)
    psp_buf_add(&all, BYTES("\x0a\x05\x0a\x01i\x12\x00"));
  assert_refused(&all, "no answer");
}

/* ---- beside protobuf-c ---- */

/* A zero of a text reads otherwise, which another test looks at. */
static bool same(const ProtobufCBinaryData *bytes, const char *text) {
  if (bytes->len == 0) return text == NULL || *text == '\0';
  return memchr(bytes->data, 0, bytes->len) != NULL ||
         (strlen(text) == bytes->len && memcmp(text, bytes->data, bytes->len) == 0);
}

static bool same_message(const Psp__ReceivedMessage *theirs, const psprobe_message *ours) {
  const Psp__PubsubMessage *m = theirs->message;
  bool is = same(&theirs->ack_id, ours->ack_id) && same(&m->message_id, ours->message_id) &&
            same(&m->ordering_key, ours->ordering_key) && m->data.len == ours->data_len &&
            (m->data.len == 0 || memcmp(m->data.data, ours->data, m->data.len) == 0) &&
            theirs->delivery_attempt == ours->delivery_attempt &&
            m->n_attributes == ours->attribute_count;
  for (size_t i = 0; is && i < m->n_attributes; i++)
    is = same(&m->attributes[i]->key, ours->attributes[i].key) &&
         same(&m->attributes[i]->value, ours->attributes[i].value);
  return is &&
         (m->publish_time == NULL || (m->publish_time->seconds == ours->publish_time.seconds &&
                                      m->publish_time->nanos == ours->publish_time.nanos));
}

/* What protobuf-c does not take is no answer; what it takes reads the same, unless it is refused
 * for what it says. */
static void compare(const psp_buf *bytes, int *taken, int *broken) {
  psp_arena a;
  psp_stream_answer answer = {.batch = NULL};
  psprobe_error error = {0};
  const Psp__StreamingPullResponse *theirs =
      psp_unpack(&a, &psp__streaming_pull_response__descriptor, bytes->data, bytes->len);
  psprobe_code code = decode(bytes, &answer, &error);
  if (theirs == NULL) assert_int_equal(code, PSPROBE_INTERNAL);
  if (theirs != NULL && theirs->subscription_properties == NULL && code != PSPROBE_OK)
    assert_null(strstr(error.message, "no answer"));
  *broken += theirs == NULL;
  if (code == PSPROBE_OK) {
    const size_t count = answer.batch != NULL ? psprobe_batch_count(answer.batch) : 0;
    assert_int_equal(theirs->n_received_messages, count);
    for (size_t i = 0; i < count; i++)
      assert_true(
          same_message(theirs->received_messages[i], psprobe_batch_message(answer.batch, i)));
    ++*taken;
  }
  psprobe_batch_free(answer.batch);
  psp_arena_close(&a);
}

static uint64_t draw(uint64_t *random) { /* xorshift64 (Marsaglia 2003) */
  *random ^= *random << 13;
  *random ^= *random >> 7;
  return *random ^= *random << 17;
}

static void test_beside_protobuf_c(void **state) {
  (void)state;
  psp_buf inner = {0}, received = {0}, whole = {0}, bytes = {0};
  uint64_t random = 20261130;
  int taken = 0, broken = 0;
  proto_text(&inner, 1, BYTES("data"));
  proto_pair(&inner, 2, "k", "v");
  proto_pair(&inner, 2, "", "e");
  proto_text(&inner, 3, BYTES("17"));
  proto_text(&inner, 4, BYTES("\x08\xc8\xf6\x98\xd8\x06\x10\x7b"));
  proto_text(&inner, 5, BYTES("o"));
  proto_text(&received, 1, BYTES("ack"));
  proto_text(&received, 2, inner.data, inner.len);
  proto_number(&received, 3, 4);
  proto_text(&whole, 1, received.data, received.len);
  proto_text(&whole, 1, received.data, received.len);
  for (int i = 0; i < 100000; i++) {
    psp_buf_reset(&bytes);
    psp_buf_add(&bytes, whole.data, whole.len);
    for (uint64_t n = draw(&random) % 3 + 1; n > 0; n--)
      bytes.data[draw(&random) % bytes.len] = (char)(draw(&random) % (n % 2 != 0 ? 256 : 48));
    compare(&bytes, &taken, &broken);
  }
  assert_true(taken > 10000 && broken > 10000);
  psp_buf_free(&inner);
  psp_buf_free(&received);
  psp_buf_free(&whole);
  psp_buf_free(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_message),
      cmocka_unit_test(test_empty_answers),
      cmocka_unit_test(test_unknown_fields),
      cmocka_unit_test(test_zeros_in_texts),
      cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_cut_anywhere),
      cmocka_unit_test(test_a_million_of_nothing),
      cmocka_unit_test(test_beside_protobuf_c),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
