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

#endif
