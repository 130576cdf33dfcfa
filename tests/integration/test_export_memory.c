/* SPDX-License-Identifier: MIT */
/** @file
 * The rows of a results file are exported in constant memory: resident memory of `report --csv`
 * with 10,000 rows and with PSPROBE_ROWS (100,000) more is the same.
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
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scratch.h"

#define FEW   10000
#define BATCH 2000
/* What an allocator and a page cache's mapping may differ by. */
#define SLACK_KIB 4096
/* A sanitizer keeps what was freed, and where: its own growth is no figure of ours. */
#ifdef __SANITIZE_ADDRESS__
#define MEASURED false
#else
#define MEASURED true
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

/* Resident memory of a program of its own, in KiB. */
static long export_kib(const char *path) {
  char program[200];
  const char *build = getenv("BUILD");
  snprintf(program, sizeof program, "%s/examples/report", build != NULL ? build : "build");
  char rows[] = "--csv", *argv[] = {program, rows, (char *)(uintptr_t)path, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  int status = 0;
  struct rusage usage;
  assert_int_equal(posix_spawn(&child, program, &actions, NULL, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  assert_int_equal(wait4(child, &status, 0, &usage), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return usage.ru_maxrss;
}

static void memory_is_constant(void **state) {
  const char *text = getenv("PSPROBE_ROWS");
  uint64_t many = text != NULL ? strtoull(text, NULL, 10) : 100000;
  psprobe_store *store = scratch_begin(state, 1);
  const char *path = scratch_file(state, "r.db");
  add(store, 10, FEW);
  long few_kib = export_kib(path);
  add(store, 10 + FEW, many);
  long many_kib = export_kib(path);
  printf("%d rows: %ld KiB, %llu: %ld KiB\n", FEW, few_kib, (unsigned long long)(many + FEW),
         many_kib);
  psprobe_store_free(store);
  if (MEASURED) assert_true(many_kib <= few_kib + SLACK_KIB);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(memory_is_constant, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
