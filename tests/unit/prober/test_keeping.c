/* SPDX-License-Identifier: MIT */
/** @file A prober that keeps its probes from before they are sent: what is kept when, and who is
 * told what meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"
#include "prober/keeping.h"
#include "prober/parts.h"
#include "raw_http.h"

#define HOUR INT64_C(3600000000000)

/* A file, as the prober sees one. */
typedef struct file {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool full, held; /* it takes nothing; it takes its time */
  bool stuck;      /* somebody waits in it */
  bool slow;       /* an answer that is noted goes no further */
  char planned[LAB_MAX][PSPROBE_ID_SIZE];
  char sent[LAB_MAX][PSPROBE_ID_SIZE];
  psprobe_arrival arrivals[64];
  size_t planned_count, sent_count, arrival_count, finished_count;
} file;

static file kept = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static psprobe_code keep(void *arg, const psprobe_news *news, psprobe_error *error) {
  file *f = arg;
  pthread_mutex_lock(&f->lock);
  f->stuck = f->held && news->arrival_count > 0;
  pthread_cond_broadcast(&f->changed);
  while (f->stuck && f->held)
    pthread_cond_wait(&f->changed, &f->lock);
  bool full = f->full;
  for (size_t i = 0; i < news->planned_count && !full; i++)
    strcpy(f->planned[f->planned_count++ % LAB_MAX], news->planned[i].id);
  for (size_t i = 0; i < news->sent_count && !full; i++)
    strcpy(f->sent[f->sent_count++ % LAB_MAX], news->sent[i].id);
  for (size_t i = 0; i < news->arrival_count && !full; i++)
    f->arrivals[f->arrival_count++] = news->arrivals[i];
  if (!full) f->finished_count += news->finished_count;
  pthread_cond_broadcast(&f->changed);
  pthread_mutex_unlock(&f->lock);
  if (!full) return PSPROBE_OK;
  *error = (psprobe_error){.code = PSPROBE_RESOURCE_EXHAUSTED, .message = "the disk is full"};
  return PSPROBE_RESOURCE_EXHAUSTED;
}

static void set(bool *what, bool to) {
  pthread_mutex_lock(&kept.lock);
  *what = to;
  pthread_cond_broadcast(&kept.changed);
  pthread_mutex_unlock(&kept.lock);
}

bool __real_psp_keeping_defer(psp_keeping *keeping, psp_exchange *exchange,
                              const psprobe_arrival *arrival);
bool __wrap_psp_keeping_defer(psp_keeping *keeping, psp_exchange *exchange,
                              const psprobe_arrival *arrival);
bool __wrap_psp_keeping_defer(psp_keeping *keeping, psp_exchange *exchange,
                              const psprobe_arrival *arrival) {
  pthread_mutex_lock(&kept.lock);
  while (kept.slow)
    pthread_cond_wait(&kept.changed, &kept.lock);
  pthread_mutex_unlock(&kept.lock);
  return __real_psp_keeping_defer(keeping, exchange, arrival);
}

static void await_count(const size_t *count, size_t least) {
  pthread_mutex_lock(&kept.lock);
  while (*count < least)
    pthread_cond_wait(&kept.changed, &kept.lock);
  pthread_mutex_unlock(&kept.lock);
}

static lab *begin(void **state, psprobe_prober_options options) {
  kept.full = kept.held = kept.stuck = kept.slow = false;
  kept.planned_count = kept.sent_count = kept.arrival_count = kept.finished_count = 0;
  options.keep = keep;
  options.keep_arg = &kept;
  lab_run(*state, options);
  return *state;
}

static int ask_again_later(lab *l, const char *id) {
  char request[200];
  snprintf(request, sizeof request,
           "POST /cloud_function/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", id);
  int fd = raw_connect(atoi(strrchr(psprobe_prober_url(l->prober), ':') + 1));
  raw_answer answer = {0};
  int status = raw_ask(fd, request, &answer);
  if (status == 503) assert_true(raw_has_header(&answer, "Retry-After: 1"));
  raw_free(&answer);
  close(fd);
  return status;
}

/* Ids come from what is kept, in order; all that was sent is noted by the end. */
static void test_planned_sent_finished(void **state) {
  lab *l = begin(state, (psprobe_prober_options){.count = 40, .timeout_ns = 20000000});
  lab_join(l);
  assert_int_equal(l->published, 40);
  assert_true(kept.planned_count >= 40);
  assert_int_equal(kept.sent_count, 40);
  assert_int_equal(kept.finished_count, 40);
  assert_int_equal(l->finished_count, 40); /* the sink has them too */
  for (size_t i = 0; i < 40; i++) {
    assert_string_equal(l->ids[i], kept.planned[i]);
    assert_string_equal(l->ids[i], kept.sent[i]);
  }
}

static void *let_go(void *arg) {
  (void)arg;
  pthread_mutex_lock(&kept.lock);
  while (!kept.stuck)
    pthread_cond_wait(&kept.changed, &kept.lock);
  assert_int_equal(kept.arrival_count, 0); /* nobody has a 200 yet */
  kept.held = false;
  pthread_cond_broadcast(&kept.changed);
  pthread_mutex_unlock(&kept.lock);
  return NULL;
}

/* A 200 comes after the keeping, and the time is that of the arrival. */
static void test_a_200_is_kept(void **state) {
  pthread_t thread;
  lab *l = begin(state, (psprobe_prober_options){.interval_ns = HOUR});
  const char *id = lab_published(l, 0);
  set(&kept.held, true);
  assert_int_equal(pthread_create(&thread, NULL, let_go, NULL), 0);
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
  pthread_join(thread, NULL);
  assert_int_equal(kept.arrival_count, 1);
  assert_string_equal(kept.arrivals[0].sent.id, id);
  assert_int_equal(kept.arrivals[0].delivery, 1);
  assert_int_equal(kept.arrivals[0].answer.status, PSPROBE_ANSWERED);
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200); /* a further one */
  assert_int_equal(kept.arrivals[1].delivery, 2);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  const psprobe_finished *finished = lab_finished(l, 0);
  assert_int_equal(finished->result.answers[0].elapsed_ns, kept.arrivals[0].answer.elapsed_ns);
  assert_int_equal(finished->result.answers[0].duplicates, 1);
  assert_int_equal(finished->result.sent_wall_ns, kept.arrivals[0].sent.sent_wall_ns);
}

#define FACTS "Psprobe-Instance: i-1\r\nPsprobe-Invocation: 1\r\nPsprobe-Sent-Ns: 5\r\n"

/* What cannot be kept is to come again: then it is the same delivery, at the time it first came. */
static void test_to_come_again(void **state) {
  lab *l = begin(state, (psprobe_prober_options){.interval_ns = HOUR});
  const char *id = lab_published(l, 0);
  set(&kept.full, true);
  assert_int_equal(lab_answer(l, "cloud_function", id, FACTS), 503);
  assert_int_equal(ask_again_later(l, id), 503); /* another delivery, which tells nothing */
  set(&kept.full, false);
  assert_int_equal(lab_answer(l, "cloud_function", id, FACTS), 200);
  assert_int_equal(kept.arrival_count, 1);
  assert_int_equal(kept.arrivals[0].delivery, 1);
  assert_string_equal(kept.arrivals[0].answer.facts.instance, "i-1");
  int64_t first = kept.arrivals[0].answer.elapsed_ns;
  assert_int_equal(lab_answer(l, "cloud_function", id, FACTS), 200);
  assert_int_equal(kept.arrivals[1].delivery, 1);
  assert_int_equal(kept.arrivals[1].answer.elapsed_ns, first);
  psprobe_prober_stats stats = lab_stats(l);
  assert_int_equal(stats.duplicates[0], 1);
}

static void *answer_last(void *arg) {
  lab *l = arg;
  return (void *)(intptr_t)ask_again_later(l, l->ids[0]);
}

/* The last answer is noted, and so the run is over before it waits for its 200: it counts, and its
 * responder is not told that nobody wanted it. What comes after that was for nothing. */
static void test_over_meanwhile(void **state) {
  pthread_t thread;
  void *told;
  lab *l = begin(state, (psprobe_prober_options){.count = 1});
  const char *id = lab_published(l, 0);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  set(&kept.slow, true);
  assert_int_equal(pthread_create(&thread, NULL, answer_last, l), 0);
  lab_join(l);
  set(&kept.slow, false);
  pthread_join(thread, &told);
  assert_int_equal((intptr_t)told, 503);
  assert_int_equal(kept.finished_count, 1);
  assert_int_equal(lab_finished(l, 0)->result.answers[0].status, PSPROBE_ANSWERED);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 404);
}

/* None is sent that is not kept: slots pass, and are counted. */
static void test_withheld(void **state) {
  lab *l = begin(state, (psprobe_prober_options){.timeout_ns = 20000000, .capacity = 100000});
  await_count(&kept.sent_count, 20);
  set(&kept.full, true);
  while (lab_stats(l).withheld < 20)
    usleep(1000);
  pthread_mutex_lock(&kept.lock);
  size_t planned = kept.planned_count;
  pthread_mutex_unlock(&kept.lock);
  assert_true(lab_stats(l).sent <= planned);
  uint64_t sent = lab_stats(l).sent;
  set(&kept.full, false);
  await_count(&kept.sent_count, (size_t)sent + 20); /* it goes on */
  psprobe_prober_stop(l->prober);
  lab_join(l);
  assert_int_equal(kept.sent_count, lab_stats(l).sent);
}

/* A run whose first probes cannot be kept does not begin. */
static void test_nothing_can_be_kept(void **state) {
  lab *l = *state;
  psprobe_prober *prober = NULL;
  psprobe_error error = {0};
  psprobe_prober_options options = {
      .topic = "probes", .listen = "127.0.0.1:0", .keep = keep, .keep_arg = &kept};
  kept.full = true;
  assert_int_equal(psprobe_prober_new(l->google->client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_prober_run(prober, &error), PSPROBE_RESOURCE_EXHAUSTED);
  assert_string_equal(error.message, "the disk is full");
  psprobe_prober_free(prober);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_planned_sent_finished), TEST(test_a_200_is_kept), TEST(test_to_come_again),
      TEST(test_over_meanwhile),        TEST(test_withheld),      TEST(test_nothing_can_be_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
