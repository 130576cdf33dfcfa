/* SPDX-License-Identifier: MIT */
/** @file Who is let in, and who has to leave. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/server/room.h"

static psp_room room;
static psp_guest *leaves;
static int64_t now_ns;

static int set_up(void **state) {
  (void)state;
  psp_room_init(&room, 8);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  psp_room_clear(&room);
  return 0;
}

static psp_room_answer enter_from(int fd, const char *address) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
  if (!is_v4) assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
  const void *from = is_v4 ? (const void *)&v4 : (const void *)&v6;
  now_ns += INT64_C(1000000000); /* all others have been there long enough */
  psp_room_visitor visitor = {.from = from, .fd = fd, .now_ns = now_ns, .due_ns = 100};
  return psp_room_enter(&room, &visitor, &leaves);
}

static void fill(int first, int count, const char *address) {
  for (int fd = first; fd < first + count; fd++) {
    assert_int_equal(enter_from(fd, address), PSP_ROOM_IN);
    assert_null(leaves);
    assert_non_null(psp_room_begin(&room, fd));
  }
}

static void test_one_address_pushes_out_itself(void **state) {
  (void)state;
  fill(10, 2, "10.0.0.1");
  fill(20, 6, "10.0.0.2"); /* three quarters of eight */
  for (int i = 0; i < 6; i++) {
    assert_int_equal(enter_from(40 + i, "10.0.0.2"), PSP_ROOM_IN);
    assert_int_equal(leaves->fd, 20 + i);
    psp_room_leave(&room, 20 + i);
    psp_room_begin(&room, 40 + i);
  }
  assert_int_equal(room.count, 8);
  assert_int_equal(room.made_room, 6);
  /* The same address in IPv6's form; a third one pushes out whoever is idle the longest. */
  assert_int_equal(enter_from(50, "::ffff:10.0.0.2"), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 40);
  assert_int_equal(enter_from(51, "10.0.0.3"), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 10);
}

static void test_one_network_of_ipv6(void **state) {
  (void)state;
  fill(10, 3, "2001:db8:0:1::1");
  fill(13, 3, "2001:db8:0:1:ffff::2");
  assert_int_equal(enter_from(16, "2001:db8:0:1:2::3"), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 10);
  assert_int_equal(enter_from(17, "2001:db8:0:2::1"), PSP_ROOM_IN);
  assert_null(leaves);
}

static void test_who_was_answered_stands_last(void **state) {
  (void)state;
  fill(10, 6, "10.0.0.1");
  psp_guest *first = psp_room_begin(&room, 10);
  assert_false(psp_room_is_hurried(&room));
  atomic_store(&first->busy, true);
  psp_room_answered(&room, first);
  assert_false(atomic_load(&first->busy));
  assert_int_equal(enter_from(20, "10.0.0.1"), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 10); /* of its own address: who has what it came for goes first */
  psp_room_leave(&room, 10);
  fill(30, 2, "10.0.0.2");
  psp_room_answered(&room, psp_room_begin(&room, 30));
  assert_int_equal(enter_from(40, "10.0.0.3"), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 11); /* of all: in the order of their answers */
  assert_ptr_equal(psp_room_make(&room), psp_room_begin(&room, 12));
}

static void test_nobody_can_leave(void **state) {
  (void)state;
  for (int fd = 10; fd < 16; fd++)
    assert_int_equal(enter_from(fd, "10.0.0.1"),
                     PSP_ROOM_IN); /* not begun: its number may be another's */
  assert_int_equal(enter_from(20, "10.0.0.1"), PSP_ROOM_WAIT);
  for (int fd = 10; fd < 16; fd++)
    atomic_store(&psp_room_begin(&room, fd)->busy, true);
  assert_int_equal(enter_from(20, "10.0.0.1"), PSP_ROOM_REFUSED);
  assert_null(psp_room_make(&room));
  assert_int_equal(room.refused, 1);
  assert_int_equal(room.count, 6);
  psp_room_leave(&room, 12);
  assert_int_equal(enter_from(20, "10.0.0.1"), PSP_ROOM_IN);
  assert_null(leaves);
}

static void test_overdue(void **state) {
  (void)state;
  fill(10, 3, "10.0.0.1");
  atomic_store(&psp_room_begin(&room, 11)->due_ns, 50);
  assert_null(psp_room_next_overdue(&room, 49));
  assert_int_equal(psp_room_next_overdue(&room, 50)->fd, 11);
  assert_null(psp_room_next_overdue(&room, 50)); /* it was told */
  atomic_store(&psp_room_begin(&room, 10)->busy, true);
  assert_int_equal(psp_room_next_overdue(&room, 100)->fd, 12);
  assert_null(psp_room_next_overdue(&room, INT64_MAX - 1));
  assert_int_equal(room.overdue, 2);
  assert_int_equal(room.leaving, 2);
  psp_room_leave(&room, 11);
  assert_int_equal(room.leaving, 1);
}

#define BURST 200

/* The server's thread begins with all who were let in, a round at a time, and where the machine is
 * busy each of its rounds is long: a burst has to get through in few of them. */
static void test_few_rounds_for_a_burst(void **state) {
  (void)state;
  psp_room_clear(&room);
  psp_room_init(&room, 20);
  int rounds = 0, let_in = 0;
  for (; let_in < BURST && rounds < BURST; rounds++) {
    int begun = let_in;
    while (let_in < BURST && !psp_room_is_hurried(&room) &&
           enter_from(10 + let_in, "10.0.0.1") == PSP_ROOM_IN) {
      let_in++;
      if (leaves != NULL) psp_room_leave(&room, leaves->fd);
    }
    for (; begun < let_in; begun++)
      psp_room_begin(&room, 10 + begun);
  }
  assert_int_equal(let_in, BURST);
  assert_int_equal(rounds, (BURST + 14) / 15); /* one address's places each time */
}

/* In a large room no more than these at once, so that who is there does not wait for a crowd. */
static void test_hurried(void **state) {
  (void)state;
  psp_room_clear(&room);
  psp_room_init(&room, 4 * PSP_ROOM_AT_ONCE);
  for (int i = 0; i < PSP_ROOM_AT_ONCE; i++) {
    assert_false(psp_room_is_hurried(&room));
    assert_int_equal(enter_from(10 + i, "10.0.0.1"), PSP_ROOM_IN);
  }
  assert_true(psp_room_is_hurried(&room));
  psp_room_begin(&room, 10);
  assert_false(psp_room_is_hurried(&room));
}

/* A burst from one address: nobody whose request is on its way is shown out for the next. */
static void test_fresh_ones_stay(void **state) {
  (void)state;
  struct sockaddr_in from = {.sin_family = AF_INET};
  psp_room_visitor next = {.from = (const void *)&from, .fd = 20, .due_ns = 100};
  fill(10, 6, "0.0.0.0");
  for (int fd = 10; fd < 16; fd++)
    atomic_store(&psp_room_begin(&room, fd)->stirred_ns, now_ns);
  next.now_ns = now_ns + PSP_ROOM_FRESH_NS - 1;
  assert_int_equal(psp_room_enter(&room, &next, &leaves), PSP_ROOM_WAIT);
  assert_null(leaves);
  psp_room_answered(&room, psp_room_begin(&room, 13)); /* it has what it came for */
  assert_int_equal(psp_room_enter(&room, &next, &leaves), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 13);
  psp_room_leave(&room, 13);
  psp_room_begin(&room, 20);
  next.fd = 21;
  next.now_ns = now_ns + PSP_ROOM_FRESH_NS; /* now it is time for the others */
  assert_int_equal(psp_room_enter(&room, &next, &leaves), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 10);
  psp_room_leave(&room, 10);
  next.fd = 22;
  next.now_ns = now_ns;
  assert_int_equal(psp_room_enter(&room, &next, &leaves), PSP_ROOM_WAIT);
  next.impatient = true; /* it has waited for long */
  assert_int_equal(psp_room_enter(&room, &next, &leaves), PSP_ROOM_IN);
  assert_int_equal(leaves->fd, 11);
  assert_int_equal(room.refused, 0);
}

/* Who was answered and has asked nothing since has lost nothing by being told to leave. */
static void test_unheard(void **state) {
  (void)state;
  fill(10, 1, "10.0.0.1");
  psp_guest *guest = psp_room_begin(&room, 10);
  assert_true(psp_room_is_unheard(guest));
  psp_room_answered(&room, guest);
  assert_false(psp_room_is_unheard(guest));
  atomic_store(&guest->asks, true);
  assert_true(psp_room_is_unheard(guest));
  psp_room_answered(&room, guest);
  assert_false(psp_room_is_unheard(guest));
}

/* libmicrohttpd had no memory for it, and said nothing. */
static void test_number_used_again(void **state) {
  (void)state;
  assert_int_equal(enter_from(10, "10.0.0.1"), PSP_ROOM_IN);
  assert_int_equal(enter_from(10, "10.0.0.1"), PSP_ROOM_IN);
  assert_int_equal(room.count, 1);
  psp_room_leave(&room, 10);
  psp_room_leave(&room, 10);
  psp_room_leave(&room, 1 << 20);
  psp_room_leave(&room, -1);
  assert_null(psp_room_begin(&room, 10));
  assert_int_equal(room.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_one_address_pushes_out_itself),
      TEST(test_one_network_of_ipv6),
      TEST(test_who_was_answered_stands_last),
      TEST(test_nobody_can_leave),
      TEST(test_overdue),
      TEST(test_few_rounds_for_a_burst),
      TEST(test_hurried),
      TEST(test_fresh_ones_stay),
      TEST(test_unheard),
      TEST(test_number_used_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
