/* SPDX-License-Identifier: MIT */
#ifndef TEST_PYTHON_PEER_H
#define TEST_PYTHON_PEER_H
/** @file A server that a script of the tests is, on the distribution's Python: it prints its port
 * in a line of its own once it listens, and ends when its standard input does. */
#include <stdbool.h>
#include <sys/types.h>

typedef struct python_peer {
  pid_t pid;
  int in, out;
  int port;
} python_peer;

/** Whether that Python has the module. $PSPROBE_PYTHON names another one. */
bool python_has(const char *module);
/** Starts it; fails the test where it does not say its port. @param arguments NULL at the end */
python_peer python_peer_start(const char *script, const char *const *arguments);
/** @return the number that it says at its end; 0: it says none */
int python_peer_stop(const python_peer *peer);

/** Paths of a key and of a certificate of 127.0.0.1's own, in test_directory(). */
typedef struct python_peer_tls {
  char key[128], certificate[128];
} python_peer_tls;
/** Makes them; fails the test where it cannot. */
python_peer_tls python_peer_certify(void);

#endif
