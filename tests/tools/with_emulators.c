/* SPDX-License-Identifier: MIT */
/**
 * @file
 * with_emulators COMMAND…: runs a command with Google's emulators running and
 * named in PSPROBE_TEST_PUBSUB_EMULATOR and PSPROBE_TEST_FIRESTORE_EMULATOR,
 * so that many test programs share one pair. Without the emulators the command
 * runs all the same, and its tests say what they skip.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: with_emulators COMMAND...\n");
    return 2;
  }
  if (test_emulator_installed(TEST_PUBSUB))
    setenv("PSPROBE_TEST_PUBSUB_EMULATOR", test_emulator_host(TEST_PUBSUB), 1);
  if (test_emulator_installed(TEST_FIRESTORE))
    setenv("PSPROBE_TEST_FIRESTORE_EMULATOR", test_emulator_host(TEST_FIRESTORE), 1);
  fflush(NULL);
  pid_t command = fork();
  if (command < 0) return 1;
  if (command == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  signal(SIGINT, SIG_IGN);
  int status = 0;
  while (waitpid(command, &status, 0) < 0)
    continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
