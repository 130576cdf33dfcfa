/* SPDX-License-Identifier: MIT */
/* With it <unistd.h> has a read() of its own, which this file stands in for. */
#undef _FORTIFY_SOURCE
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "grpc/words.h"

static psp_words *pushed_at_read; /* NULL: nothing is */

static void push(psp_words *words) {
  assert_int_equal(psp_words_tell(words, PSP_WORD_CANCEL, 1, PSPROBE_OK, NULL, 0), PSPROBE_OK);
}

/* In the library's place: somebody tells something right before the ring is read. */
ssize_t read(int fd, void *room, size_t size) {
  psp_words *words = pushed_at_read;
  pushed_at_read = NULL;
  if (words != NULL) push(words);
  return syscall(SYS_read, fd, room, size);
}

static bool has_rung(const psp_words *words) {
  struct pollfd wake = {.fd = words->wake, .events = POLLIN};
  return poll(&wake, 1, 0) == 1;
}

static unsigned take(psp_words *words) {
  bool closing;
  unsigned count = 0;
  psp_rpc_command *c = psp_words_take(words, &closing);
  for (psp_rpc_command *next; c != NULL; c = next, count++) {
    next = c->next;
    free(c);
  }
  return count;
}

static void test_who_sleeps_is_rung_for(void **state) {
  (void)state;
  psp_words words = {0};
  assert_true(psp_words_init(&words, 100));
  push(&words);
  assert_false(has_rung(&words)); /* it is awake */
  assert_false(psp_words_sleep(&words));
  assert_int_equal(take(&words), 1);
  assert_true(psp_words_sleep(&words));
  push(&words);
  push(&words);
  assert_true(has_rung(&words));
  psp_words_hear(&words, true);
  assert_false(has_rung(&words));
  assert_int_equal(take(&words), 2);
  psp_words_close(&words);
  assert_true(has_rung(&words));
  assert_false(psp_words_sleep(&words));
  psp_words_clear(&words);
}

/* What is told between the ring and its reading is heard, and so is what comes after it: reading
 * may eat no ring that somebody relies on. */
static void test_told_while_it_hears(void **state) {
  (void)state;
  psp_words words = {0};
  assert_true(psp_words_init(&words, 100));
  assert_true(psp_words_sleep(&words));
  push(&words);
  pushed_at_read = &words;
  psp_words_hear(&words, true);
  assert_int_equal(take(&words), 2);
  assert_true(psp_words_sleep(&words));
  push(&words);
  assert_true(has_rung(&words));
  psp_words_clear(&words);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_who_sleeps_is_rung_for),
      cmocka_unit_test(test_told_while_it_hears),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
