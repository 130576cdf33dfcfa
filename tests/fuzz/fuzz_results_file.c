/* SPDX-License-Identifier: MIT */
/** @file A results file of a stranger's, read. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"
#include "results/columns/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char path[64];
  if (path[0] == '\0') snprintf(path, sizeof path, "/dev/shm/psprobe-fuzz-%ld.db", (long)getpid());
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FUZZ_ASSERT(file >= 0 && write(file, data, size) == (ssize_t)size);
  close(file);
  psp_columns columns = {0};
  psprobe_store *store = NULL;
  psprobe_store_options options = {.read_only = true};
  if (psprobe_store_new(path, &options, &store, NULL) == PSPROBE_OK) {
    psp_columns_load(&columns, store, NULL, NULL);
    for (size_t i = 0; i < columns.count; i++)
      FUZZ_ASSERT(columns.run[i] < columns.run_count);
    psp_columns_free(&columns);
  }
  psprobe_store_free(store);
  unlink(path);
  return 0;
}
