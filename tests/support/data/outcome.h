/* SPDX-License-Identifier: MIT */
#ifndef TEST_OUTCOME_H
#define TEST_OUTCOME_H
/** @file What becomes of an asynchronous HTTP request, for a test to wait for and to look at. */
#include <semaphore.h>

#include "http/client/transport.h"

typedef struct outcome {
  sem_t done;
  _Atomic int calls;
  int status; /**< 0: there was an error */
  psprobe_error error;
  psp_buf body;
  char thread[16]; /**< the name of the one that called back */
} outcome;

void outcome_init(outcome *outcome);
void outcome_free(outcome *outcome);
/** A psp_http_done; `arg` is the outcome. */
void outcome_note(void *arg, const psp_http_response *response, const psprobe_error *error);
/** Waits for it, thirty seconds at most (then the test fails). @return its status */
int outcome_wait(outcome *outcome);

#endif
