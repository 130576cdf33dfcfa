/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "local/proto_json.h"
#include "local/pubsub/shapes.h"

static bool read_all(const char *bytes, size_t len) {
  char *copy = malloc(len + 1); /* what is read too far is seen */
  assert_non_null(copy);
  memcpy(copy, bytes, len);
  psp_wire wire = psp_wire_of(copy, len);
  for (psp_wire_item item; psp_wire_next(&wire, &item);)
    assert_true(item.type != PSP_WIRE_BYTES || item.data + item.len <= copy + len);
  free(copy);
  return !wire.broken;
}

static void test_broken(void **state) {
  (void)state;
  assert_true(read_all("", 0));
  assert_true(read_all("\x08\x01\x12\x01x\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0", 19));
  assert_true(read_all("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
  static const struct {
    const char *bytes;
    size_t len;
  } broken[] = {{"\x08", 1},       /* no value */
                {"\x08\xff", 2},   /* half a value */
                {"\x12\x05xx", 4}, /* longer than there is */
                {"\x00\x01", 2},   /* field 0 */
                {"\x0b", 1},       /* a group */
                {"\x0f", 1},       /* no type */
                {"\x19\0\0", 3},
                {"\x25\0", 2},
                {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* 65 bits */
                {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},
                {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12}};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
    assert_false(read_all(broken[i].bytes, broken[i].len));
}

/* What the emulator was seen to be sent: publish `hello` with k=v. */
static void test_publish(void **state) {
  (void)state;
  psp_buf bytes = {0}, json = {0};
  psp_json_writer w = {.buf = &json};
  psp_buf_add(&bytes, "\x0a\x03t/x\x12\x0f\x0a\x05hello\x12\x06\x0a\x01k\x12\x01v", 22);
  assert_true(psp_proto_to_json(psp_shape_publish, bytes.data, bytes.len, &w));
  assert_string_equal(json.data,
                      "{\"topic\":\"t/x\",\"messages\":[{\"data\":\"aGVsbG8=\",\"attributes\":"
                      "{\"k\":\"v\"}}]}");
  psp_json *read = NULL;
  psp_buf again = {0};
  assert_int_equal(psp_json_parse(json.data, json.len, "x", &read, NULL), PSPROBE_OK);
  psp_proto_from_json(psp_shape_publish, read, &again);
  assert_int_equal(again.len, bytes.len);
  assert_memory_equal(again.data, bytes.data, bytes.len);
  psp_json_free(read);
  psp_buf_free(&again);
  psp_buf_free(&bytes);
  psp_buf_free(&json);
}

/* Times, masks, unknown fields, wrong types, the last of doubles. */
static void test_kinds(void **state) {
  (void)state;
  static const char *const colours[] = {"NONE", "RED", NULL};
  static const psp_proto_field fields[] = {{1, "span", PSP_PROTO_DURATION, NULL, false, NULL},
                                           {2, "time", PSP_PROTO_TIME, NULL, false, NULL},
                                           {3, "mask", PSP_PROTO_MASK, NULL, false, NULL},
                                           {4, "yes", PSP_PROTO_BOOL, NULL, false, NULL},
                                           {5, "n", PSP_PROTO_INT, NULL, false, NULL},
                                           {6, "red", PSP_PROTO_ENUM, NULL, false, colours},
                                           {7, "new", PSP_PROTO_ENUM, NULL, false, colours},
                                           {0}};
  psp_buf bytes = {0}, json = {0};
  psp_json_writer w = {.buf = &json};
  psp_wire_put_bytes(&bytes, 1, "\x08\x0a\x10\x80\xca\xb5\xee\x01", 8);
  psp_wire_put_bytes(&bytes, 2, "\x08\x01", 2);
  psp_wire_put_bytes(&bytes, 3,
                     "\x0a\x01"
                     "a\x0a\x03"
                     "b_c",
                     8);
  psp_wire_put_int(&bytes, 4, 1);
  psp_wire_put_int(&bytes, 5, 7);
  psp_wire_put_int(&bytes, 5, -8);
  psp_wire_put_text(&bytes, 5, "no number");
  psp_wire_put_int(&bytes, 6, 1);
  psp_wire_put_int(&bytes, 7, 2); /* of a later version */
  psp_wire_put_text(&bytes, 99, "unknown");
  assert_true(psp_proto_to_json(fields, bytes.data, bytes.len, &w));
  assert_string_equal(json.data,
                      "{\"span\":\"10.500s\",\"time\":\"1970-01-01T00:00:01Z\","
                      "\"mask\":\"a,b_c\",\"yes\":true,\"n\":-8,\"red\":\"RED\",\"new\":2}");
  psp_json *read = NULL;
  psp_buf again = {0};
  static const char text[] = "{\"red\":\"RED\",\"new\":2,\"yes\":true}";
  assert_int_equal(psp_json_parse(text, strlen(text), "x", &read, NULL), PSPROBE_OK);
  psp_proto_from_json(fields, read, &again);
  assert_int_equal(again.len, 6);
  assert_memory_equal(again.data, "\x20\x01\x30\x01\x38\x02", 6);
  psp_json_free(read);
  psp_buf_free(&again);
  psp_buf_reset(&bytes);
  psp_wire_put_text(&bytes, 1, "\xff\xff");
  assert_false(
      psp_proto_to_json(psp_shape_topic, bytes.data, bytes.len, &(psp_json_writer){.buf = &json}));
  psp_buf_free(&bytes);
  psp_buf_free(&json);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_broken), cmocka_unit_test(test_publish),
                                     cmocka_unit_test(test_kinds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
