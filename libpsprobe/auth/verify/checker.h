/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_CHECKER_H
#define PSP_AUTH_VERIFY_CHECKER_H
/**
 * @file
 * A thread that looks at signatures, so that the server's has none to compute: 0.3 ms each, in
 * which no answer's arrival is seen. After a bad one it rests, so that whoever sends many costs the
 * machine no more than a bounded part of a processor; those that find the line full are turned
 * away.
 */
#include <pthread.h>

#include "auth/verify/visitor.h"

/** The rest after a bad one: at most some 400 of them are looked at in a second. */
#define PSP_CHECKER_REST_NS INT64_C(2000000)

/** Looks at one and tells it, on the checker's thread. @return false: its signature was bad */
typedef bool psp_checker_look(void *arg, const psp_visit *visit);

typedef struct psp_checker {
  psp_checker_look *look;
  void *arg;
  pthread_mutex_t lock; /* guards the rest; held for a few instructions */
  pthread_cond_t changed;
  pthread_t thread;
  bool started, stopping;
  psp_visitor_line line;
} psp_checker;

/** False: no thread could be started; psp_checker_stop and _clear are fine all the same. */
bool psp_checker_start(psp_checker *checker, psp_checker_look *look, void *arg);
/** False: there is no room, or it is stopping: `visit` was not taken. Its token is copied. */
bool psp_checker_add(psp_checker *checker, const psp_visit *visit);
/** Looks at those in the line, without rests, and ends. Once it has returned nobody is told. */
void psp_checker_stop(psp_checker *checker);
/** Frees what is left when it has stopped. */
void psp_checker_clear(psp_checker *checker);

#endif
