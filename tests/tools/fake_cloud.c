/* SPDX-License-Identifier: MIT */
/**
 * @file Google as far as the doctor looks at it (tests/support/fakes/fake_cloud.h), for scripts:
 * prints its URL and serves until its standard input ends.
 *
 *     fake_cloud [CLOCK_OFFSET_S [PART STATUS BODY]...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_cloud.h"

int main(int argc, char **argv) {
  fake_cloud *google = fake_cloud_start();
  if (argc > 1) fake_cloud_set_clock(google, atoll(argv[1]));
  for (int i = 2; i + 2 < argc; i += 3)
    fake_cloud_set(google, argv[i], atoi(argv[i + 1]), argv[i + 2]);
  printf("%s\n", fake_cloud_url(google));
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  fake_cloud_stop(google);
  return 0;
}
