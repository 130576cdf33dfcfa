/* SPDX-License-Identifier: MIT */
/**
 * @file What Google does for tokens, for scripts: tests/support/fakes/fake_issuer.h on loopback,
 * until it is told to end.
 *
 *     fake_google DIRECTORY EMAIL [PORT]
 *
 * prints its URL. In DIRECTORY it writes key.json (a service account), user.json (a federated
 * login), and secrets: a line for each piece of the keys, and for each token that was given or
 * shown to it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fake_issuer.h"
#include "keys.h"

#define REFRESH_TOKEN                                                     \
  "1//refresh-token-of-the-test-which-is-as-long-as-the-ones-that-Google" \
  "-gives-and-has-no-spaces"
#define CLIENT_SECRET "client-secret-of-the-test"

static FILE *secrets;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_secret(void *arg, const char *secret) {
  (void)arg;
  pthread_mutex_lock(&lock);
  fprintf(secrets, "%s\n", secret);
  fflush(secrets);
  pthread_mutex_unlock(&lock);
}

/* Each line of the PEM text is one that could leak by itself. */
static void keep_key(const char *pem) {
  for (const char *line = pem; *line != 0;) {
    size_t len = strcspn(line, "\n");
    if (len > 40 && line[0] != '-') fprintf(secrets, "%.*s\n", (int)len, line);
    line += len + (line[len] != 0);
  }
  fprintf(secrets, "%s\n%s\n", REFRESH_TOKEN, CLIENT_SECRET);
  fflush(secrets);
}

int main(int argc, char **argv) {
  sigset_t ends;
  int signal;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);
  if (argc < 3) {
    fputs("usage: fake_google DIRECTORY EMAIL [PORT]\n", stderr);
    return 2;
  }
  char path[4096], more[300], user[600];
  snprintf(path, sizeof path, "%s/secrets", argv[1]);
  secrets = fopen(path, "ae"); /* the script adds others */
  if (secrets == NULL) {
    perror(path);
    return 1;
  }
  fake_issuer issuer = {.on_secret = on_secret};
  fake_issuer_start(&issuer, argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0, argv[2]);
  snprintf(more, sizeof more, ",\"token_uri\":\"%s/token\"", fake_issuer_url(&issuer));
  snprintf(user, sizeof user,
           "{\"type\":\"external_account_authorized_user\",\"client_id\":\"id\",\"client_secret\":"
           "\"" CLIENT_SECRET "\",\"refresh_token\":\"" REFRESH_TOKEN
           "\",\"token_url\":\"%s/token\"}",
           fake_issuer_url(&issuer));
  char *key = test_service_account(NULL, more);
  test_write(argv[1], "key.json", 0600, key);
  test_write(argv[1], "user.json", 0600, user);
  free(key);
  keep_key(test_key_pem(TEST_KEY_RSA));
  printf("fake_google: %s\n", fake_issuer_url(&issuer));
  fflush(stdout);
  sigwait(&ends, &signal);
  fake_issuer_stop(&issuer);
  fclose(secrets);
  return 0;
}
