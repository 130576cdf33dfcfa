/* SPDX-License-Identifier: MIT */
/** @file With PSPROBE_ROUNDS=N a test program runs its tests N times, each time in a process of its
 * own that it forks: what tests/soak.sh does, without what it takes to start a program. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef int run_group(const char *name, const struct CMUnitTest *tests, size_t count,
                      CMFixtureFunction set_up, CMFixtureFunction tear_down);

run_group _cmocka_run_group_tests;

/* In the place of cmocka's, which it calls. */
__attribute__((visibility("default"))) int _cmocka_run_group_tests(const char *name,
                                                                   const struct CMUnitTest *tests,
                                                                   size_t count,
                                                                   CMFixtureFunction set_up,
                                                                   CMFixtureFunction tear_down) {
  run_group *run;
  *(void **)&run = dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
  const char *text = getenv("PSPROBE_ROUNDS");
  const int rounds = text != NULL ? atoi(text) : 0;
  if (rounds <= 0) return run(name, tests, count, set_up, tear_down);
  for (int round = 1; round <= rounds; round++) {
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) exit(run(name, tests, count, set_up, tear_down));
    int status = 0;
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) continue;
    printf("round %d of %d failed: status %#x\n", round, rounds, (unsigned)status);
    return 1;
  }
  return 0;
}
