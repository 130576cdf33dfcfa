/* SPDX-License-Identifier: MIT */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H
/** @file Folders for a test's files, and results to put in them. */
#include <psprobe/results.h>

#define SCRATCH_SIZE 64

/** cmocka's setup and teardown: *state is the path of an empty folder, removed with all in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
/** "folder/name", in one of a few buffers that are used in turn. */
const char *scratch_file(void **state, const char *name);

/** Opens or fails the test. */
psprobe_store *scratch_store(const char *path, bool read_only);
/** An id made of a number; different numbers, different ids. */
void scratch_id(char id[PSPROBE_ID_SIZE], uint64_t number);
/** A run of cloud_function and regular_service. */
psprobe_run scratch_run(uint64_t number);
/** A finished probe of that run: answered by both, in a time that comes from the number. */
psprobe_finished scratch_finished(uint64_t number);
#define SCRATCH_SENT_NS INT64_C(1795558728773000000)

/** "r.db" in the test's folder, with the run of that number begun. */
psprobe_store *scratch_begin(void **state, uint64_t number);
/** Keeps a probe of that run, or fails the test. */
void scratch_add(psprobe_store *store, uint64_t run_number, const psprobe_finished *finished);

/** Rows that were read, and the id of the last one's run. */
typedef struct scratch_seen {
  size_t count;
  psprobe_row rows[64];
  char run_id[PSPROBE_ID_SIZE];
  size_t stop_after; /**< 0: never */
} scratch_seen;
/** For psprobe_store_each: `arg` is a scratch_seen. */
bool scratch_see(void *arg, const psprobe_row *row);
/** Reads what the filter lets through, or fails the test. */
void scratch_read(psprobe_store *store, const psprobe_filter *filter, scratch_seen *seen);
/** For psprobe_store_each: `arg` is an int, which counts. */
bool scratch_count_row(void *arg, const psprobe_row *row);
/** Rows in a file, as a reader of its own finds them. */
int scratch_rows(const char *path);

#endif
