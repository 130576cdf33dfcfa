/* SPDX-License-Identifier: MIT */
/** @file Random values of every type go to the service and come back the same, from Google's
 * emulator and the stand-in (support/servers/target.h). PSPROBE_EVERY_VALUE=1: 100,000 of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "target.h"
#include "values.h"

enum { PER_DOCUMENT = 100, PER_BATCH = 10, FEW = 4000, MANY = 100000, DEEPEST = 5 };

static psprobe_client *client;
static uint64_t seed = 20261130;

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c) */
static uint64_t draw(void) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static uint64_t below(uint64_t bound) {
  return draw() % bound;
}

/* A code point, of every length in UTF-8, with zero and controls, without surrogates. */
static uint32_t draw_point(bool zero) {
  static const uint32_t ends[] = {0x20, 0x80, 0x800, 0x10000, 0x110000};
  uint32_t point = (uint32_t)below(ends[below(5)]);
  if (point >= 0xd800 && point < 0xe000) point = 0x2028;
  return point == 0 && !zero ? 'x' : point;
}

static size_t put_point(char *out, uint32_t c) {
  if (c < 0x80) return (size_t)(*out = (char)c, 1);
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 63));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 63));
    out[2] = (char)(0x80 | (c & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 63));
  out[2] = (char)(0x80 | (c >> 6 & 63));
  out[3] = (char)(0x80 | (c & 63));
  return 4;
}

static size_t draw_text(char out[128], size_t points, bool zero) {
  size_t len = 0;
  for (size_t i = 0; i < points; i++)
    len += put_point(out + len, draw_point(zero));
  out[len] = '\0';
  return len;
}

/* Any bits but those of the other NaNs. */
static psprobe_value *draw_double(void) {
  static const double edges[] = {0.0, 1e21, 5e-324, 1.7976931348623157e308, -1.0};
  uint64_t bits = draw();
  double number;
  memcpy(&number, &bits, sizeof number);
  if (below(4) == 0) number = edges[below(5)];
  if (below(4) == 0) number = (double)(int64_t)draw() / 1000;
  return psprobe_value_double(number);
}

static psprobe_value *draw_number(void) {
  int64_t number = (int64_t)draw() >> below(64);
  return psprobe_value_integer(below(50) == 0 ? INT64_MIN : number);
}

/* Years 1 to 9999, to the microsecond that is kept. */
static psprobe_value *draw_time(void) {
  static const int32_t steps[] = {1000, 1000000, 1000000000};
  int64_t seconds = (int64_t)below(315537897600) - INT64_C(62135596800);
  int32_t step = steps[below(3)];
  return psprobe_value_timestamp(
      (psprobe_timestamp){seconds, (int32_t)below(1000000000 / (uint64_t)step) * step});
}

static psprobe_value *draw_string(void) {
  char text[128];
  size_t len = draw_text(text, below(25), true);
  return psprobe_value_string_n(text, len);
}

static psprobe_value *draw_bytes(void) {
  unsigned char bytes[40];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)draw();
  return psprobe_value_bytes(bytes, below(sizeof bytes));
}

static psprobe_value *draw_reference(void) {
  char name[128];
  snprintf(name, sizeof name, "projects/p%u/databases/(default)/documents/c/%llx",
           (unsigned)below(9), (unsigned long long)draw());
  return psprobe_value_reference(name);
}

static psprobe_value *draw_point_on_earth(void) {
  return psprobe_value_geo_point((double)below(180001) / 1000 - 90,
                                 (double)below(360001) / 1000 - 180);
}

static psprobe_value *draw_value(int depth, bool in_array);

static psprobe_value *draw_list(int depth) {
  psprobe_value *array = psprobe_value_array();
  for (uint64_t n = below(4); n > 0; n--)
    psprobe_value_append(array, draw_value(depth + 1, true));
  return array;
}

/* A key that is none of Firestore's own. */
static void draw_key(char key[128]) {
  draw_text(key, 1 + below(6), false);
  if (key[0] == '_') key[0] = 'u';
}

static psprobe_value *draw_map(int depth) {
  psprobe_value *map = psprobe_value_map();
  char key[128];
  for (uint64_t n = below(4); n > 0; n--) {
    draw_key(key);
    psprobe_value_set(map, key, draw_value(depth + 1, false));
  }
  return map;
}

static psprobe_value *draw_value(int depth, bool in_array) {
  uint64_t types = depth >= DEEPEST ? 9 : 11;
  switch (below(types)) {
    case 0:
      return psprobe_value_null();
    case 1:
      return psprobe_value_boolean(below(2));
    case 2:
      return draw_number();
    case 3:
      return draw_double();
    case 4:
      return draw_time();
    case 5:
      return draw_string();
    case 6:
      return draw_bytes();
    case 7:
      return draw_reference();
    case 8:
      return draw_point_on_earth();
    case 9:
      return in_array ? draw_map(depth) : draw_list(depth);
    default:
      return draw_map(depth);
  }
}

/* What was sent, to be compared with what comes. */
typedef struct batch {
  psprobe_value *fields[PER_BATCH];
  char paths[PER_BATCH][32];
  int same;
} batch;

static bool compare(void *arg, size_t index, const psprobe_document *document) {
  batch *b = arg;
  assert_non_null(document);
  const psprobe_value *fields = psprobe_document_fields(document);
  if (psprobe_value_equal(fields, b->fields[index])) {
    b->same++;
    return true;
  }
  for (size_t i = 0; i < PER_DOCUMENT; i++) {
    const char *key;
    const psprobe_value *sent = psprobe_value_at(b->fields[index], i, &key);
    const psprobe_value *came = psprobe_value_find(fields, key);
    if (psprobe_value_equal(sent, came)) continue;
    char *was = test_value_json(sent), *is = came != NULL ? test_value_json(came) : NULL;
    print_error("%s: sent %s, came %s\n", b->paths[index], was, is != NULL ? is : "nothing");
    free(was);
    free(is);
  }
  return false;
}

static void round_trip(int number) {
  batch b = {.same = 0};
  psprobe_write writes[PER_BATCH];
  const char *paths[PER_BATCH];
  psprobe_error error = {0}, outcomes[PER_BATCH];
  for (int i = 0; i < PER_BATCH; i++) {
    b.fields[i] = psprobe_value_map();
    for (int j = 0; j < PER_DOCUMENT; j++) {
      char key[16];
      snprintf(key, sizeof key, "v%d", j);
      assert_true(psprobe_value_set(b.fields[i], key, draw_value(0, false)));
    }
    snprintf(b.paths[i], sizeof b.paths[i], "values/%d-%d", number, i);
    paths[i] = b.paths[i];
    writes[i] = (psprobe_write){.path = paths[i], .fields = b.fields[i]};
  }
  test_ok(psprobe_batch_write(client, writes, PER_BATCH, outcomes, &error), &error);
  for (int i = 0; i < PER_BATCH; i++)
    test_ok(outcomes[i].code, &outcomes[i]);
  test_ok(psprobe_document_get_many(client, paths, PER_BATCH, NULL, compare, &b, &error), &error);
  for (int i = 0; i < PER_BATCH; i++)
    psprobe_value_free(b.fields[i]);
  assert_int_equal(b.same, PER_BATCH);
}

static void what_comes_is_what_went(void **state) {
  (void)state;
  int count = getenv("PSPROBE_EVERY_VALUE") != NULL ? MANY : FEW;
  client = test_target_client(TEST_FIRESTORE);
  for (int i = 0; i < count / (PER_DOCUMENT * PER_BATCH); i++)
    round_trip(i);
  psprobe_client_free(client);
  print_message("%d values, and those within them, came back the same\n", count);
}

static int suite(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_comes_is_what_went)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
  return test_on_targets(suite);
}
