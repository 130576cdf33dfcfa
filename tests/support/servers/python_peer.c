/* SPDX-License-Identifier: MIT */
#include "python_peer.h"

#include <fcntl.h>
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

#include "keys.h"

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

/* A line to its end: Python may write it in pieces, and who hangs up in between ends it. */
static int read_number(int fd) {
  char line[16] = "";
  for (size_t len = 0; len + 1 < sizeof line && strchr(line, '\n') == NULL; len++)
    if (read(fd, line + len, 1) != 1) return 0;
  return atoi(line);
}

python_peer python_peer_start(const char *script, const char *const *arguments) {
  int in[2], out[2];
  const char *argv[ARGUMENTS + 3] = {python(), script};
  for (size_t i = 0; i < ARGUMENTS && arguments[i] != NULL; i++)
    argv[i + 2] = arguments[i];
  assert_int_equal(pipe2(in, O_CLOEXEC), 0); /* else another peer would hold it open */
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
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
  peer.port = read_number(peer.out);
  if (peer.port == 0) fail_msg("a server did not say its port");
  return peer;
}

int python_peer_stop(const python_peer *peer) {
  close(peer->in);
  int last = read_number(peer->out);
  waitpid(peer->pid, NULL, 0);
  close(peer->out);
  return last;
}

python_peer_tls python_peer_certify(void) {
  python_peer_tls tls;
  char command[512];
  snprintf(tls.key, sizeof tls.key, "%s/tls-key.pem", test_directory());
  snprintf(tls.certificate, sizeof tls.certificate, "%s/tls-cert.pem", test_directory());
  snprintf(
      command, sizeof command,
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x "
      "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
      tls.key, tls.certificate);
  assert_int_equal(system(command), 0);
  return tls;
}
