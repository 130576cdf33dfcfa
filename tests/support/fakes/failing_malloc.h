/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAILING_MALLOC_H
#define TEST_FAILING_MALLOC_H
/**
 * @file
 * Memory that runs out when the test says so, for programs named test_memory,
 * which the Makefile links with --wrap (the library's calls come here; those of
 * shared libraries do not). To be included once in such a program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* After this many allocations one fails, and all that follow. Negative: none. */
static long failing_after = -1;
static bool failing_failed;

static bool failing_now(void) {
  if (failing_after < 0) return false;
  if (failing_after > 0) {
    failing_after--;
    return false;
  }
  failing_failed = true;
  return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size) {
  return failing_now() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
  return failing_now() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size) {
  return failing_now() ? NULL : __real_realloc(old, size);
}
char *__wrap_strdup(const char *text) {
  return failing_now() ? NULL : __real_strdup(text);
}

/**
 * Calls `work` with memory for 0, 1, 2, … allocations, until it needs no more.
 * It returns whether it succeeded, which it must just when nothing was refused.
 * @return how often it failed
 */
static long failing_each(bool (*work)(void *arg), void *arg) {
  for (long after = 0;; after++) {
    failing_failed = false;
    failing_after = after;
    bool done = work(arg);
    failing_after = -1;
    if (done != !failing_failed)
      fail_msg("allocation %ld failed, and the work %s", after, done ? "succeeded" : "did not");
    if (done) return after;
  }
}

#endif
