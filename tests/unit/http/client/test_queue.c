/* SPDX-License-Identifier: MIT */
/** @file Who put a request in may still be at the queue when its answer has come and all is freed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "http/client/queue.h"

typedef struct closer {
  psp_queue *queue;
  atomic_bool closed;
} closer;

static void *close_it(void *arg) {
  closer *c = arg;
  psp_queue_close(c->queue);
  psp_queue_await_callers(c->queue);
  atomic_store(&c->closed, true);
  return NULL;
}

static void test_end_waits_for_callers(void **state) {
  (void)state;
  psp_transfer_defaults defaults = {0};
  psp_queue queue;
  uint64_t id;
  psp_queue_init(&queue, &defaults);
  psp_transfer *transfer = psp_queue_acquire(&queue);
  assert_non_null(transfer);
  assert_true(psp_queue_submit(&queue, transfer, &id));
  assert_true(psp_queue_cancel(&queue, id));
  assert_false(psp_queue_cancel(&queue, id)); /* was asked for: nothing to leave */
  closer c = {.queue = &queue};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, close_it, &c), 0);
  psp_queue_leave(&queue);
  const struct timespec while_it_must_wait = {.tv_nsec = 20000000};
  nanosleep(&while_it_must_wait, NULL);
  assert_false(atomic_load(&c.closed));
  psp_queue_leave(&queue);
  pthread_join(thread, NULL);
  assert_true(atomic_load(&c.closed));
  psp_queue_clear(&queue);
}

/* A transfer that waits with its answer can be resumed again and again, and cancelled while it is
 * asked to go on; a driver sees it once. */
static void test_resumed_until_cancelled(void **state) {
  (void)state;
  psp_transfer_defaults defaults = {0};
  psp_transfer_list sent;
  psp_transfer *due = NULL;
  psp_queue queue;
  uint64_t id;
  psp_queue_init(&queue, &defaults);
  psp_transfer *transfer = psp_queue_acquire(&queue);
  assert_true(psp_queue_submit(&queue, transfer, &id));
  psp_queue_drain(&queue, &sent, &due);
  assert_null(due);
  for (int i = 0; i < 2; i++) {
    assert_true(psp_queue_resume(&queue, id));
    assert_true(psp_queue_resume(&queue, id));
    assert_true(psp_queue_has_work(&queue));
    psp_queue_drain(&queue, &sent, &due);
    assert_ptr_equal(due, transfer);
    assert_null(due->next_due);
    assert_false(due->cancel_due);
    assert_false(psp_queue_has_work(&queue));
  }
  assert_true(psp_queue_resume(&queue, id));
  assert_true(psp_queue_cancel(&queue, id));
  assert_false(psp_queue_resume(&queue, id));
  psp_queue_drain(&queue, &sent, &due);
  assert_true(due == transfer && due->next_due == NULL && due->cancel_due);
  psp_queue_settle(&queue, transfer);
  assert_false(psp_queue_resume(&queue, id));
  psp_queue_clear(&queue);
}

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_end_waits_for_callers),
                                     cmocka_unit_test(test_resumed_until_cancelled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
