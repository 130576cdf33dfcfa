/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int scratch_setup(void **state) {
  const char *temp = getenv("TMPDIR");
  char *path = malloc(SCRATCH_SIZE * 4);
  if (path == NULL) return -1;
  snprintf(path, SCRATCH_SIZE * 4, "%s/psprobe-test-XXXXXX", temp != NULL ? temp : "/tmp");
  *state = path;
  return mkdtemp(path) == NULL ? -1 : 0;
}

int scratch_teardown(void **state) {
  char *path = *state;
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      unlinkat(dirfd(dir), entry->d_name, 0);
  if (dir != NULL) closedir(dir);
  int gone = rmdir(path);
  free(path);
  return gone;
}

const char *scratch_file(void **state, const char *name) {
  static char buffers[4][SCRATCH_SIZE * 8];
  static unsigned next;
  char *buffer = buffers[next++ % 4];
  snprintf(buffer, sizeof buffers[0], "%s/%s", (const char *)*state, name);
  return buffer;
}

psprobe_store *scratch_store(const char *path, bool read_only) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  psprobe_store_options options = {.read_only = read_only};
  if (psprobe_store_new(path, &options, &store, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return store;
}

void scratch_id(char id[PSPROBE_ID_SIZE], uint64_t number) {
  snprintf(id, PSPROBE_ID_SIZE, "%016llx%016llx",
           (unsigned long long)(number * UINT64_C(0x9E3779B97F4A7C15)), (unsigned long long)number);
}

psprobe_run scratch_run(uint64_t number) {
  psprobe_run run = {.started_wall_ns = SCRATCH_SENT_NS - 1000000000,
                     .project = "demo-p",
                     .topic = "probes",
                     .host = "here",
                     .interval_ns = 5000000000,
                     .timeout_ns = 30000000000,
                     .source_count = 2,
                     .sources = {"cloud_function", "regular_service"}};
  scratch_id(run.id, number);
  return run;
}

psprobe_finished scratch_finished(uint64_t number) {
  psprobe_finished finished = {
      .result = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number * 5000000000,
                 .lateness_ns = 1000,
                 .publish_ns = 20000000,
                 .source_count = 2,
                 .answers = {{.status = PSPROBE_ANSWERED,
                              .elapsed_ns = 60000000 + (int64_t)number,
                              .handled_ns = 1000000},
                             {.status = PSPROBE_ANSWERED,
                              .elapsed_ns = 50000000 + (int64_t)number,
                              .handled_ns = -1}}}};
  scratch_id(finished.result.id, number);
  return finished;
}

psprobe_store *scratch_begin(void **state, uint64_t number) {
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_run run = scratch_run(number);
  assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
  return store;
}

void scratch_add(psprobe_store *store, uint64_t run_number, const psprobe_finished *finished) {
  char id[PSPROBE_ID_SIZE];
  psprobe_error error = {0};
  scratch_id(id, run_number);
  if (psprobe_store_add(store, id, finished, 1, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

bool scratch_see(void *arg, const psprobe_row *row) {
  scratch_seen *seen = arg;
  assert_true(seen->count < sizeof seen->rows / sizeof *seen->rows);
  seen->rows[seen->count++] = *row;
  strcpy(seen->run_id, row->run->id);
  return seen->count != seen->stop_after;
}

void scratch_read(psprobe_store *store, const psprobe_filter *filter, scratch_seen *seen) {
  psprobe_error error = {0};
  memset(seen, 0, sizeof *seen);
  if (psprobe_store_each(store, filter, scratch_see, seen, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

bool scratch_count_row(void *arg, const psprobe_row *row) {
  (void)row;
  ++*(int *)arg;
  return true;
}

int scratch_rows(const char *path) {
  int rows = 0;
  psprobe_store *store = scratch_store(path, true);
  assert_int_equal(psprobe_store_each(store, NULL, scratch_count_row, &rows, NULL), PSPROBE_OK);
  psprobe_store_free(store);
  return rows;
}
