/* SPDX-License-Identifier: MIT */
/** @file
 * Rows are exported in constant memory, from a results file, from CSV and from JSON lines: resident
 * memory of `report --csv` and `report --jsonl` with 10,000 rows and with PSPROBE_ROWS (100,000)
 * more is the same.
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
#define MORE     10000
#else
#define MEASURED true
#define MORE     100000
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
}
export;
static const export exports[] = {{"r.db", "--csv", "r.csv"},
                                 {"r.db", "--jsonl", "r.jsonl"},
                                 {"r.csv", "--jsonl", "again"},
                                 {"r.jsonl", "--csv", "again"}};
#define EXPORTS (sizeof exports / sizeof *exports)

/* Resident memory of a program of its own, in KiB. */
static long export_kib(void **state, const export *e) {
  char program[200], form[10];
  const char *build = getenv("BUILD"), *from = scratch_file(state, e->from);
  snprintf(program, sizeof program, "%s/examples/report", build != NULL ? build : "build");
  snprintf(form, sizeof form, "%s", e->form);
  char *argv[] = {program, form, (char *)(uintptr_t)from, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, scratch_file(state, e->to),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
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
  uint64_t many = text != NULL ? strtoull(text, NULL, 10) : MORE;
  long few_kib[EXPORTS];
  psprobe_store *store = scratch_begin(state, 1);
  add(store, 10, FEW);
  for (size_t i = 0; i < EXPORTS; i++)
    few_kib[i] = export_kib(state, &exports[i]);
  add(store, 10 + FEW, many);
  psprobe_store_free(store);
  for (size_t i = 0; i < EXPORTS; i++) {
    long many_kib = export_kib(state, &exports[i]);
    printf("%s %s: %d rows: %ld KiB, %llu: %ld KiB\n", exports[i].form, exports[i].from, FEW,
           few_kib[i], (unsigned long long)(many + FEW), many_kib);
    if (MEASURED) assert_true(many_kib <= few_kib[i] + SLACK_KIB);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(memory_is_constant, scratch_setup, scratch_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
