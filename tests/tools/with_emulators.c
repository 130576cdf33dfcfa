/* SPDX-License-Identifier: MIT */
/**
 * @file
 * with_emulators COMMAND…: runs a command with Google's emulators running and
 * named in PSPROBE_TEST_PUBSUB_EMULATOR and PSPROBE_TEST_FIRESTORE_EMULATOR,
 * so that many test programs share one pair. Without the emulators the command
 * runs all the same, and its tests say what they skip. A stranger stands at the
 * ports that emulators have by default: no test may take whoever is there for
 * its own, or need the port.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator.h"

/* Who has followed the README has one there already, and this does nothing. It lets in and says
 * nothing, until we end. */
static void stand_at(uint16_t port) {
  const struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0) return;
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: with_emulators COMMAND...\n");
    return 2;
  }
  stand_at(8085); /* Pub/Sub's */
  stand_at(8086); /* Firestore's in the README */
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
