/* SPDX-License-Identifier: MIT */
#include "pubsub/subscriber/handling.h"

#include "os/clock.h"

#define HALVED_AT 1000000 /* what was long ago counts less */

void psp_handling_add(psp_handling *handling, int64_t ns) {
  int64_t seconds = ns > 0 ? (ns + PSP_SECOND_NS - 1) / PSP_SECOND_NS : 0;
  handling->seconds[seconds < PSP_HANDLING_MAX_S ? seconds : PSP_HANDLING_MAX_S]++;
  if (++handling->total < HALVED_AT) return;
  handling->total = 0;
  for (int i = 0; i <= PSP_HANDLING_MAX_S; i++)
    handling->total += handling->seconds[i] /= 2;
}

int psp_handling_lease_s(const psp_handling *handling, int least) {
  const uint32_t rank = handling->total - handling->total / 100;
  uint32_t below = 0;
  int seconds = 0;
  while (seconds < PSP_HANDLING_MAX_S && (below += handling->seconds[seconds]) < rank)
    seconds++;
  return seconds > least ? seconds : least;
}
