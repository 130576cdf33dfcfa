/* SPDX-License-Identifier: MIT */
#ifndef TEST_LAB_H
#define TEST_LAB_H
/**
 * @file
 * A prober with everything around it under the test's control: it publishes to
 * a scripted transport, the test answers its probes over real sockets, and its
 * sink keeps what it is given. Every wait fails the test after thirty seconds.
 */
#include <psprobe/probe.h>
#include <pthread.h>

#include "fake_client.h"

#define LAB_MAX 4096

typedef struct lab {
  fake_client *google;
  psprobe_prober *prober;
  pthread_t thread;
  bool running;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  char ids[LAB_MAX][PSPROBE_ID_SIZE]; /**< of the messages published, in order */
  psp_buf body;                       /**< of the last publish request */
  size_t published;
  int refuse;    /**< the next so many publish calls are answered 403 */
  bool no_topic; /**< publish calls are answered 404 */
  bool hold;     /**< publish calls wait for lab_let_go */
  bool hold_sink;
  psprobe_finished finished[LAB_MAX];
  size_t finished_count;
} lab;

/** cmocka's setup and teardown: *state is a lab, without a prober yet. */
int lab_setup(void **state);
int lab_teardown(void **state);

/** Makes the prober and runs it on a thread. What `options` leaves open is filled in for tests. */
void lab_run(lab *lab, psprobe_prober_options options);
/** Waits for the run's end. */
void lab_join(lab *lab);
/** The id of the `nth` message published, from 0; waits for it. */
const char *lab_published(lab *lab, size_t nth);
/** The `nth` that the sink was given, from 0; waits for it. A copy that stays. */
const psprobe_finished *lab_finished(lab *lab, size_t nth);
/** Sets hold or hold_sink. */
void lab_hold(lab *lab, bool *which, bool on);
/** POSTs an answer, with header lines each ended by \r\n (may be NULL). @return the status */
int lab_answer(lab *lab, const char *source, const char *id, const char *headers);
/** Both sources answer it, and are answered 200. */
void lab_answer_both(lab *lab, const char *id);
/** Sends a request as it stands. */
int lab_ask(lab *lab, const char *request);
psprobe_prober_stats lab_stats(lab *lab);

#endif
