/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

void outcome_init(outcome *o) {
  *o = (outcome){0};
  sem_init(&o->done, 0, 0);
}

void outcome_free(outcome *o) {
  sem_destroy(&o->done);
  psp_buf_free(&o->body);
}

void outcome_note(void *arg, const psp_http_response *response, const psprobe_error *error) {
  outcome *o = arg;
  o->calls++;
  pthread_getname_np(pthread_self(), o->thread, sizeof o->thread);
  if (response != NULL) {
    o->status = response->status;
    psp_buf_add(&o->body, response->body, response->body_len);
  } else {
    o->error = *error;
  }
  sem_post(&o->done);
}

int outcome_wait(outcome *o) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  while (sem_timedwait(&o->done, &until) != 0) {
    if (errno != EINTR) fail_msg("no outcome after thirty seconds");
  }
  return o->status;
}
