/* SPDX-License-Identifier: MIT */
#ifndef TEST_SERVER_FIXTURE_H
#define TEST_SERVER_FIXTURE_H
/**
 * @file
 * A psp_server whose routes say what they were asked, for tests to talk to:
 *
 *     any   /echo/{rest}, GET /get, POST /a/{}/{}   200, what was asked, a line each
 *     any   /empty                                  200 to PUT and POST, 204 to others
 *     GET   /refuse                                 409 in Google's form
 *     any   /hold                                   waits until the test answers it
 */
#include <stdatomic.h>

#include "http/server/server.h"

extern psp_server *server; /**< of fixture_set_up */
extern atomic_int calls;   /**< of handlers, but for /hold */
extern _Atomic int64_t received_ns;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/** Another server with the same routes. `listen` may be NULL. */
psp_server *fixture_start(psp_server_options options);
/** Waits for a request to /hold, thirty seconds at most. */
psp_exchange *take_held(void);
/** The handler of /hold. */
void hold(void *arg, psp_exchange *exchange);
/** Asks and fails the test unless it gets this status and, when not NULL, this body. */
void expect(int fd, const char *request, int status, const char *body);
/** Answers as many exchanges that wait as `*arg` (an int) says. For pthread_create. */
void *answer_held(void *arg);

#endif
