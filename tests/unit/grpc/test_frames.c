/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grpc/frames.h"

static void test_pieces(void **state) {
  (void)state;
  psp_buf bytes = {0};
  psp_frame_write(&bytes, "hello", 5);
  psp_frame_write(&bytes, NULL, 0);
  psp_frame_write(&bytes, "more", 4);
  assert_memory_equal(bytes.data, "\0\0\0\0\5hello\0\0\0\0\0\0\0\0\0\4more", 24);
  assert_int_equal(bytes.len, 24);
  for (size_t piece = 1; piece <= bytes.len; piece++) {
    static const char *const texts[] = {"hello", "", "more"};
    psp_frames frames = {.max = 5};
    const char *message;
    size_t len, count = 0;
    for (size_t at = 0; at < bytes.len; at += piece) {
      psp_frames_add(&frames, bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece);
      while (psp_frames_next(&frames, &message, &len) == PSP_FRAME_MESSAGE) {
        assert_true(count < 3);
        assert_int_equal(len, strlen(texts[count]));
        assert_memory_equal(message, texts[count++], len);
      }
    }
    assert_int_equal(count, 3);
    assert_int_equal(psp_frames_len(&frames), 0);
    psp_frames_clear(&frames);
  }
  psp_buf_free(&bytes);
}

/* What is wrong stays so, and is told by the head alone. */
static void test_wrong(void **state) {
  (void)state;
  static const struct {
    const char head[6];
    psp_frame frame;
  } cases[] = {{"\1\0\0\0\1", PSP_FRAME_COMPRESSED}, {"\2\0\0\0\1", PSP_FRAME_BROKEN},
               {"\377\0\0\0\0", PSP_FRAME_BROKEN},   {"\0\0\0\0\6", PSP_FRAME_TOO_LONG},
               {"\0\200\0\0\0", PSP_FRAME_TOO_LONG}, {"\0\377\377\377\377", PSP_FRAME_TOO_LONG},
               {"\0\0\0\0\5", PSP_FRAME_MORE}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_frames frames = {.max = 5};
    const char *message;
    size_t len;
    psp_frames_add(&frames, cases[i].head, 4);
    assert_int_equal(psp_frames_next(&frames, &message, &len), PSP_FRAME_MORE);
    psp_frames_add(&frames, cases[i].head + 4, 1);
    assert_int_equal(psp_frames_next(&frames, &message, &len), cases[i].frame);
    assert_int_equal(psp_frames_next(&frames, &message, &len), cases[i].frame);
    assert_int_not_equal(psp_frames_len(&frames), 0);
    psp_frames_clear(&frames);
  }
}

/* Room for a message is there from its head on, but not for all that a head may promise. */
static void test_room(void **state) {
  (void)state;
  psp_frames frames = {.max = 1 << 30};
  const char *message;
  size_t len;
  psp_frames_add(&frames, "\0\0\1\206\240x", 6); /* 100,000 */
  assert_int_equal(psp_frames_next(&frames, &message, &len), PSP_FRAME_MORE);
  assert_true(frames.bytes.cap > 100005);
  psp_frames_clear(&frames);
  psp_frames_add(&frames, "\0\77\377\377\377x", 6); /* a GiB */
  assert_int_equal(psp_frames_next(&frames, &message, &len), PSP_FRAME_MORE);
  assert_true(frames.bytes.cap < 4 << 20);
  psp_frames_clear(&frames);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_wrong),
                                     cmocka_unit_test(test_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
