/* SPDX-License-Identifier: MIT */
/**
 * @file Keeps probes in a results file, and looks which are there: what a prober does with its
 * file, without one, for tests that let the file's system calls fail. usage: keep FILE COUNT
 * [BATCH]    says `kept N` once the first N are kept; what fails is told and tried again, five
 * times keep --look FILE COUNT     fails unless each of the first COUNT is there once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#define TRIES 5

static void say(void *arg, psprobe_log_level level, const char *line) {
  (void)arg;
  (void)level;
  fprintf(stderr, "%s\n", line);
}

static psprobe_store *open_store(const char *path) {
  static const psprobe_logger logger = {.sink = say, .level = PSPROBE_LOG_WARNING};
  const psprobe_store_options options = {.logger = &logger};
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  if (psprobe_store_new(path, &options, &store, &error) != PSPROBE_OK)
    fprintf(stderr, "cannot begin: %s\n", error.message);
  return store;
}

/* A file that was made anew does not know the run. */
static psprobe_code try_to_keep(psprobe_store *store, const psprobe_run *run,
                                const psprobe_finished *batch, uint64_t count,
                                psprobe_error *error) {
  psprobe_code code = psprobe_store_add(store, run->id, batch, count, error);
  if (code != PSPROBE_NOT_FOUND) return code;
  code = psprobe_store_begin_run(store, run, error);
  return code == PSPROBE_OK ? psprobe_store_add(store, run->id, batch, count, error) : code;
}

static int keep(const char *path, uint64_t count, uint64_t batch_size, uint64_t remove_at) {
  psprobe_finished batch[64];
  psprobe_store *store = open_store(path);
  psprobe_error error = {0};
  if (store == NULL) return 1;
  psprobe_run run = scratch_run(1);
  psprobe_code code = PSPROBE_OK;
  for (uint64_t kept = 0; kept < count && code == PSPROBE_OK; kept += batch_size) {
    if (kept == remove_at && kept > 0) unlink(path);
    if (batch_size > count - kept) batch_size = count - kept;
    for (uint64_t i = 0; i < batch_size; i++)
      batch[i] = scratch_finished(kept + i);
    for (int tries = 0; tries < TRIES; tries++) {
      code = try_to_keep(store, &run, batch, batch_size, &error);
      if (code == PSPROBE_OK) break;
      fprintf(stderr, "%s\n", error.message);
    }
    if (code == PSPROBE_OK) printf("kept %llu\n", (unsigned long long)(kept + batch_size));
    fflush(stdout);
  }
  psprobe_store_free(store);
  return code == PSPROBE_OK ? 0 : 1;
}

static bool see(void *arg, const psprobe_row *row) {
  uint64_t *next = arg;
  psprobe_finished want = scratch_finished(*next);
  if (strcmp(row->result.id, want.result.id) != 0 ||
      row->result.answers[1].elapsed_ns != want.result.answers[1].elapsed_ns)
    return false;
  ++*next;
  return true;
}

/* In the order sent, which is that of their numbers. */
static int look(const char *path, uint64_t count) {
  uint64_t next = 0;
  psprobe_store *store = open_store(path);
  psprobe_error error = {0};
  if (store == NULL) return 1;
  psprobe_code code = psprobe_store_each(store, NULL, see, &next, &error);
  psprobe_store_free(store);
  if (code != PSPROBE_OK) fprintf(stderr, "%s\n", error.message);
  printf("%llu are there\n", (unsigned long long)next);
  return code == PSPROBE_OK && next >= count ? 0 : 1;
}

int main(int argc, char **argv) {
  bool removes = argc > 1 && strcmp(argv[1], "--remove") == 0;
  if (argc == 4 && strcmp(argv[1], "--look") == 0)
    return look(argv[2], strtoull(argv[3], NULL, 10));
  if (removes) argv++, argc--;
  uint64_t batch = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
  if (argc < 3 || batch < 1 || batch > 64) return 2;
  uint64_t count = strtoull(argv[2], NULL, 10);
  return keep(argv[1], count, batch, removes ? count / batch / 2 * batch : 0);
}
