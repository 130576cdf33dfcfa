/* SPDX-License-Identifier: MIT */
#include "os/futex.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

void psp_futex_wake_all(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void psp_futex_wait(_Atomic uint32_t *word, uint32_t while_it_is, int64_t until_ns) {
  const struct timespec until = {.tv_sec = (time_t)(until_ns / PSP_SECOND_NS),
                                 .tv_nsec = (long)(until_ns % PSP_SECOND_NS)};
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, while_it_is, &until, NULL,
          FUTEX_BITSET_MATCH_ANY);
}
