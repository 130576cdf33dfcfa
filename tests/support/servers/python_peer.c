/* SPDX-License-Identifier: MIT */
#include "python_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS 8

static const char *python(void) {
  const char *named = getenv("PSPROBE_PYTHON");
  return named != NULL ? named : "/usr/bin/python3";
}

bool python_has(const char *module) {
  char test[300];
  snprintf(test, sizeof test, "%s -c 'import %s' 2>/dev/null", python(), module);
  return system(test) == 0;
}

/* To its end: Python may write a line in pieces, and who hangs up in between ends it. */
static int read_port(int fd) {
  char line[16] = "";
  for (size_t len = 0; len + 1 < sizeof line && strchr(line, '\n') == NULL; len++)
    if (read(fd, line + len, 1) != 1) fail_msg("a server did not say its port");
  return atoi(line);
}

python_peer python_peer_start(const char *script, const char *const *arguments) {
  int in[2], out[2];
  const char *argv[ARGUMENTS + 3] = {python(), script};
  for (size_t i = 0; i < ARGUMENTS && arguments[i] != NULL; i++)
    argv[i + 2] = arguments[i];
  assert_int_equal(pipe(in), 0);
  assert_int_equal(pipe(out), 0);
  fflush(NULL);
  python_peer peer = {.pid = fork(), .in = in[1], .out = out[0]};
  assert_true(peer.pid >= 0);
  if (peer.pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[1]);
    close(out[0]);
    execv(argv[0], (char *const *)argv);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  peer.port = read_port(peer.out);
  return peer;
}

void python_peer_stop(const python_peer *peer) {
  close(peer->in);
  waitpid(peer->pid, NULL, 0);
  close(peer->out);
}
