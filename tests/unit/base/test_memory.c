/* SPDX-License-Identifier: MIT */
/** @file Every allocation of the base fails once: what failed says so and leaks nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "failing_malloc.h"

static bool parse(void *arg) {
  (void)arg;
  static const char text[] = "{\"n\":9223372036854775807,\"z\":\"a\\u0000b\",\"d\":1.5}";
  psp_json *json = NULL;
  psprobe_error error = {0};
  psprobe_code code = psp_json_parse(text, sizeof text - 1, "text", &json, &error);
  assert_int_equal(code == PSPROBE_OK, json != NULL);
  if (code != PSPROBE_OK) {
    assert_int_equal(code, PSPROBE_RESOURCE_EXHAUSTED);
    assert_string_equal(error.message, "out of memory: text");
  }
  psp_json_free(json);
  return code == PSPROBE_OK;
}

static bool write_json(void *arg) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "copy");
  psp_json_put_json(&w, arg);
  psp_json_put_key(&w, "base64");
  psp_json_put_base64(&w, "some bytes that are longer than a buffer is at first, or so we hope",
                      67);
  psp_json_end_object(&w);
  char *text = psp_buf_take(&out, NULL);
  bool done = text != NULL;
  if (done) assert_non_null(strstr(text, "\\u0000"));
  free(text);
  return done;
}

static bool codecs(void *arg) {
  (void)arg;
  psp_buf out = {0}, back = {0};
  psp_percent_encode(&out, "a text with spaces in it, which grows when it is encoded");
  bool done = !out.failed && psp_percent_decode(&back, out.data, out.len);
  psp_buf_reset(&out);
  psp_base64_encode(&out, back.data, back.len);
  done = done && !out.failed && psp_base64_decode(&back, out.data, out.len);
  psp_buf_free(&out);
  psp_buf_free(&back);
  return done;
}

static void runs_out_cleanly(void **state) {
  (void)state;
  static const char text[] = "{\"k\\u0000\":[\"a\\u0000b\",9223372036854775807,{\"x\":null}]}";
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text, sizeof text - 1, "text", &json, NULL), PSPROBE_OK);
  assert_in_range(failing_each(parse, NULL), 1, 100);
  assert_in_range(failing_each(write_json, json), 4, 100);
  assert_in_range(failing_each(codecs, NULL), 2, 100);
  psp_json_free(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_out_cleanly)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
