/* SPDX-License-Identifier: MIT */
/** @file
 * Rows are exported in constant memory, from a results file, from CSV, from JSON lines and from
 * Firestore (the stand-in): resident memory of `report --csv` and `report --jsonl` with 10,000 rows
 * and with PSPROBE_ROWS (100,000; of Firestore's 30,000) more is the same.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>

#include "scratch.h"

#define FEW   10000
#define BATCH 2000
/* What an allocator and a page cache's mapping may differ by. */
#define SLACK_KIB 4096
/* A sanitizer keeps what was freed, and where: its own growth is no figure of ours. */
#ifdef __SANITIZE_ADDRESS__
#define MEASURED false
#define MORE     10000
#define IN_CLOUD 2000
#else
#define MEASURED true
#define MORE     100000
#define IN_CLOUD 30000
#endif

extern char **environ;

static void add(psprobe_store *store, uint64_t from, uint64_t count) {
  psprobe_run run = scratch_run(1);
  psprobe_finished *rows = calloc(BATCH, sizeof *rows);
  for (uint64_t done = 0; done < count; done += BATCH) {
    for (uint64_t i = 0; i < BATCH; i++)
      rows[i] = scratch_finished(from + done + i);
    assert_int_equal(psprobe_store_add(store, run.id, rows, BATCH, NULL), PSPROBE_OK);
  }
  free(rows);
}

/* What is exported, into which form, and where that goes. */
typedef struct export {
  const char *from, *form, *to;
  bool cloud; /* `from` is a collection */
}
export;
static const export of_files[] = {{"r.db", "--csv", "r.csv", false},
                                  {"r.db", "--jsonl", "r.jsonl", false},
                                  {"r.csv", "--jsonl", "again", false},
                                  {"r.jsonl", "--csv", "again", false}};
static const export of_cloud[] = {{"memory", "--jsonl", "again", true},
                                  {"memory", "--csv", "again", true}};
#define MOST 4

/* The most that a process has had resident since it began its program, in KiB; `before` if it is
 * gone. (wait4's ru_maxrss is that of who forked it, too.) */
static long resident_kib(pid_t pid, long before) {
  char path[40], line[200];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *status = fopen(path, "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL)
    sscanf(line, "VmHWM: %ld kB", &before);
  if (status != NULL) fclose(status);
  return before;
}

/* Takes what a program writes, and looks at it with each piece. */
static long take_kib(pid_t child, int from, const char *to) {
  static char piece[65536];
  ssize_t got;
  long kib = 0;
  FILE *file = fopen(to, "wb");
  assert_non_null(file);
  while ((got = read(from, piece, sizeof piece)) > 0) {
    kib = resident_kib(child, kib);
    assert_int_equal(fwrite(piece, 1, (size_t)got, file), got);
  }
  assert_int_equal(fclose(file), 0);
  close(from);
  return kib;
}

/* Resident memory of a program of its own, in KiB. */
static long export_kib(void **state, const export *e) {
  char program[200], form[10], from[80], option[] = "--firestore";
  const char *build = getenv("BUILD");
  snprintf(program, sizeof program, "%s/examples/report", build != NULL ? build : "build");
  snprintf(form, sizeof form, "%s", e->form);
  snprintf(from, sizeof from, "%s", e->cloud ? e->from : scratch_file(state, e->from));
  char *of_file[] = {program, form, from, NULL}, *of_them[] = {program, form, option, from, NULL};
  int ends[2], status = 0;
  pid_t child = 0;
  posix_spawn_file_actions_t actions;
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  assert_int_equal(
      posix_spawn(&child, program, &actions, NULL, e->cloud ? of_them : of_file, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  long kib = take_kib(child, ends[0], scratch_file(state, e->to));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return kib;
}

static void note(void **state, const export *exports, size_t count, long kib[MOST]) {
  for (size_t i = 0; i < count; i++)
    kib[i] = export_kib(state, &exports[i]);
}

static void expect_no_more(void **state, const export *exports, size_t count, uint64_t more,
                           const long few_kib[MOST]) {
  for (size_t i = 0; i < count; i++) {
    long many_kib = export_kib(state, &exports[i]);
    printf("%s %s: %d rows: %ld KiB, %llu: %ld KiB\n", exports[i].form, exports[i].from, FEW,
           few_kib[i], (unsigned long long)(more + FEW), many_kib);
    if (MEASURED) assert_true(many_kib <= few_kib[i] + SLACK_KIB);
  }
}

static void memory_is_constant(void **state) {
  const char *text = getenv("PSPROBE_ROWS");
  uint64_t many = text != NULL ? strtoull(text, NULL, 10) : MORE;
  long few_kib[MOST];
  psprobe_store *store = scratch_begin(state, 1);
  add(store, 10, FEW);
  note(state, of_files, 4, few_kib);
  add(store, 10 + FEW, many);
  psprobe_store_free(store);
  expect_no_more(state, of_files, 4, many, few_kib);
}

static void upload(psprobe_store *store, psprobe_client *client) {
  const psprobe_uploader_options options = {.collection = "memory"};
  psprobe_uploader *uploader = NULL;
  psprobe_error error = {0};
  assert_int_equal(psprobe_uploader_new(store, client, &options, &uploader, &error), PSPROBE_OK);
  if (psprobe_uploader_flush(uploader, INT64_C(60000000000), &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  psprobe_uploader_free(uploader);
}

static void memory_is_constant_of_firestore(void **state) {
  psprobe_local *local = NULL;
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  long few_kib[MOST];
  assert_int_equal(
      psprobe_local_new(&(psprobe_local_options){.pubsub_listen = NULL}, &local, &error),
      PSPROBE_OK);
  setenv("FIRESTORE_EMULATOR_HOST", psprobe_local_firestore_host(local), 1);
  setenv("PUBSUB_EMULATOR_HOST", psprobe_local_pubsub_host(local), 1);
  setenv("GOOGLE_CLOUD_PROJECT", "memory-project", 1);
  psprobe_client_options options = {.project = NULL};
  psprobe_client_options_from_environment(&options);
  assert_int_equal(psprobe_client_new(&options, &client, &error), PSPROBE_OK);
  psprobe_store *store = scratch_begin(state, 1);
  add(store, 10, FEW);
  upload(store, client);
  note(state, of_cloud, 2, few_kib);
  add(store, 10 + FEW, IN_CLOUD);
  upload(store, client);
  expect_no_more(state, of_cloud, 2, IN_CLOUD, few_kib);
  psprobe_store_free(store);
  psprobe_client_free(client);
  psprobe_local_free(local);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(memory_is_constant, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(memory_is_constant_of_firestore, scratch_setup,
                                      scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
