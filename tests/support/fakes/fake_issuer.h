/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_ISSUER_H
#define TEST_FAKE_ISSUER_H
/**
 * @file
 * What Google does for tokens, on loopback: a metadata server, a token endpoint and a key set, with
 * keys of its own.
 *
 *     GET  /computeMetadata/v1/…   project, access tokens, ID tokens of `email`
 *     POST /token                  access tokens, and ID tokens when the assertion asks for one
 *     GET  /certs                  the public keys
 *     GET  /mint?email=&aud=       an ID token for whoever asks; &key=other: of an unknown key
 *     POST /fail?keys=&tokens=     what those routes say from now on, as in the fields below
 *     any  /v1/…                   401, as an API that takes no token, with the token in its words
 */
#include <semaphore.h>
#include <stdatomic.h>

#include "http/server/server.h"

typedef struct fake_issuer {
  psp_server *server;
  const char *email;              /**< of the ID tokens */
  _Atomic int keys, tokens;       /**< the status of /certs and of what gives tokens; 0: 200 */
  atomic_uint key_count, issued;  /**< requests of /certs; tokens given */
  sem_t *hold_keys, *hold_tokens; /**< waited for each time; NULL: no wait */
  /** Hears of each secret that was given out or shown to us; NULL: nobody. */
  void (*on_secret)(void *arg, const char *secret);
  void *arg;
} fake_issuer;

/** Listens on `port` of loopback; 0 picks one. Fails the test if it cannot. */
void fake_issuer_start(fake_issuer *issuer, int port, const char *email);
void fake_issuer_stop(fake_issuer *issuer);
/** "http://127.0.0.1:PORT". */
const char *fake_issuer_url(const fake_issuer *issuer);
/** An ID token. To free(). */
char *fake_issuer_token(fake_issuer *issuer, const char *email, const char *audience);

#endif
