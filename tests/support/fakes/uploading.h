/* SPDX-License-Identifier: MIT */
#ifndef TEST_UPLOADING_H
#define TEST_UPLOADING_H
/** @file An uploader between a file of a test's own and a Firestore of its own. */
#include <psprobe/results.h>
#include <psprobe/timing.h>

#include "fake_client.h"
#include "fake_firestore.h"

#define UPLOADING_SECOND INT64_C(1000000000)
/** For what succeeds long before; a test that waits so long has failed. */
#define UPLOADING_PATIENCE (60 * UPLOADING_SECOND)

typedef struct uploading {
  void *folder;
  void *client;
  fake_firestore *firestore; /**< NULL with uploading_setup_bare */
  psprobe_store *store;
  psprobe_uploader *uploader; /**< the one that runs */
  psprobe_run run;
  psprobe_logger logger;
  char log[8000];
} uploading;

/** cmocka's setup and teardown: *state is an uploading; bare: with no Firestore. */
int uploading_setup(void **state);
int uploading_setup_bare(void **state);
int uploading_teardown(void **state);
#define UPLOADING_TEST(name) \
  cmocka_unit_test_setup_teardown(name, uploading_setup, uploading_teardown)
#define UPLOADING_TEST_BARE(name) \
  cmocka_unit_test_setup_teardown(name, uploading_setup_bare, uploading_teardown)

psprobe_uploader *uploading_start(uploading *s);
void uploading_stop(uploading *s);
/** Keeps so many rows, or new states of them. */
void uploading_add(uploading *s, uint64_t from, uint64_t count, bool update);
/** Flushes again and again, each of which cuts a wait short, until one says something else than
 * that time was up, or patience is; its word. */
psprobe_code uploading_try(psprobe_uploader *uploader, psprobe_error *error);
/** Likewise, until all is in Firestore; else the test fails. */
void uploading_flush(psprobe_uploader *uploader);
uint64_t uploading_backlog(uploading *s);
/** Each of `count` rows has its document, created once. */
void uploading_expect(uploading *s, uint64_t count);
/** How often a part stands in a text. */
unsigned uploading_count(const char *text, const char *part);

#endif
