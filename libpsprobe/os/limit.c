/* SPDX-License-Identifier: MIT */
#include "os/limit.h"

#include <sys/resource.h>

#define LEAST 4

/* The soft bound that we were started with; 0: it was not raised. */
static rlim_t given;

uint64_t psp_limit_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

size_t psp_limit_files_share(enum psp_files_share share, size_t most) {
  uint64_t files = psp_limit_files() / 16 * (uint64_t)share;
  if (files > most) return most;
  return files < LEAST ? LEAST : (size_t)files;
}

uint64_t psp_limit_files_raise(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && given == 0) given = before;
  }
  return psp_limit_files();
}

void psp_limit_files_restore(void) {
  struct rlimit limit;
  if (given == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = given;
  setrlimit(RLIMIT_NOFILE, &limit);
}
