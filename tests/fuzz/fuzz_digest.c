/* SPDX-License-Identifier: MIT */
/** @file Digests of a stranger's results file, as bytes: what is taken for one goes round, and is
 * compared. */
#include <string.h>

#include "fuzz.h"
#include "results/store/store.h"
#include "stats/digest/digest_compare.h"

#define TIMES 3

static psprobe_code walk(void *from, psp_digest_each *each, void *arg, psprobe_error *error) {
  (void)error;
  for (int i = 0; i < TIMES; i++)
    if (!each(arg, from)) break;
  return PSPROBE_OK;
}

/* What is read from what it is written as is the same. */
static void go_round(const psp_digest *digest) {
  psp_buf first = {0}, second = {0};
  psp_digest again = {0};
  psp_digest_put(&first, digest);
  FUZZ_ASSERT(psp_digest_read(&again, first.data, first.len));
  psp_digest_put(&second, &again);
  FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
  psp_digest_free(&again);
  psp_buf_free(&first);
  psp_buf_free(&second);
}

/* The last source first, so that pairs are turned. */
static void compare(psp_digest *digest) {
  const char *names[PSP_DIGEST_SOURCES];
  size_t which[PSP_DIGEST_SOURCES];
  const size_t n = digest->source_count;
  for (size_t i = 0; i < n; i++) {
    names[i] = "source";
    which[i] = n - 1 - i;
  }
  const psp_digests digests = {.walk = walk,
                               .from = digest,
                               .expected = TIMES * digest->probes,
                               .source_count = n,
                               .which = which};
  psp_totals totals;
  psprobe_comparison *comparison = NULL;
  if (psp_totals_make(&totals, &digests, NULL) == PSPROBE_OK &&
      psp_digests_compare(&totals, names, &comparison, NULL) == PSPROBE_OK)
    FUZZ_ASSERT(psprobe_comparison_source_count(comparison) == n);
  psprobe_comparison_free(comparison);
  psp_totals_free(&totals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_digest digest = {0};
  if (psp_digest_read(&digest, data, size)) {
    go_round(&digest);
    if (digest.probes <= PSP_BLOCK) compare(&digest); /* as many as a block has */
  }
  psp_digest_free(&digest);
  return 0;
}
