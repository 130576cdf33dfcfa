/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_PARTS_H
#define PSP_AUTH_VERIFY_PARTS_H
/** @file What verifier.c and verifier_life.c share. */
#include <pthread.h>
#include <stdatomic.h>

#include "auth/fetch.h"
#include "auth/verify/checker.h"
#include "auth/verify/idtoken.h"
#include "auth/verify/keystore.h"

struct psprobe_verifier {
  char *audience, *url;
  char **emails;
  psp_idtoken_rules rules;
  psprobe_logger logger;
  psp_fetcher fetcher;
  atomic_uint refused[PSP_IDTOKEN_VERDICTS];

  pthread_mutex_t lock; /* guards the rest; held for a few instructions */
  pthread_cond_t changed;
  pthread_t thread;
  bool started, stopping;
  bool wanted; /* a fetch, now */
  psp_keystore store;
  psp_visitor_line line; /* those who wait for keys */

  psp_checker checker;
};

/** A psp_checker_look, of a token that nobody has looked at. */
bool psp_verifier_look(void *verifier, const psp_visit *visit);
/** The verifier's thread: it fetches keys, and looks at those who waited for them. */
void *psp_verifier_run(void *verifier);

#endif
