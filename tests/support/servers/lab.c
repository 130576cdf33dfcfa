/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "raw_http.h"

/* Under the lock. */
static void wait_change(lab *l, const char *what) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  if (pthread_cond_timedwait(&l->changed, &l->lock, &until) != 0) {
    pthread_mutex_unlock(&l->lock);
    fail_msg("waited for %s in vain", what);
  }
}

static void keep_id(lab *l, const psp_http_request *request) {
  psp_json *json = NULL;
  if (psp_json_parse(request->body, request->body_len, "publish", &json, NULL) != PSPROBE_OK)
    return;
  const psp_json *message = psp_json_first(psp_json_get(json, "messages"));
  const char *id =
      psp_json_string(psp_json_get(psp_json_get(message, "attributes"), PSPROBE_ATTRIBUTE_ID));
  if (id != NULL && l->published < LAB_MAX)
    snprintf(l->ids[l->published++], PSPROBE_ID_SIZE, "%s", id);
  psp_json_free(json);
}

static void on_publish(void *arg, const psp_http_request *request, fake_answer *answer) {
  lab *l = arg;
  pthread_mutex_lock(&l->lock);
  psp_buf_reset(&l->body);
  psp_buf_add(&l->body, request->body, request->body_len);
  bool refused = l->refuse > 0, missing = l->no_topic;
  if (refused) l->refuse--;
  keep_id(l, request);
  pthread_cond_broadcast(&l->changed);
  while (l->hold)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  answer->status = missing ? 404 : refused ? 403 : 200;
  if (missing) return;
  psp_buf_text(&answer->body, refused ? "{\"error\":{\"code\":403,\"message\":\"no\","
                                        "\"status\":\"PERMISSION_DENIED\"}}"
                                      : "{\"messageIds\":[\"1\"]}");
}

static void sink(void *arg, const psprobe_finished *finished, size_t count) {
  lab *l = arg;
  pthread_mutex_lock(&l->lock);
  for (size_t i = 0; i < count && l->finished_count < LAB_MAX; i++)
    l->finished[l->finished_count++] = finished[i];
  pthread_cond_broadcast(&l->changed);
  while (l->hold_sink)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
}

int lab_setup(void **state) {
  lab *l = calloc(1, sizeof *l);
  void *google = NULL;
  assert_non_null(l);
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->changed, NULL);
  fake_client_setup(&google);
  l->google = google;
  fake_call *publish =
      fake_times(fake_expect(l->google->fake, "POST",
                             FAKE_PUBSUB "/v1/projects/" FAKE_PROJECT "/topics/probes:publish"),
                 0);
  fake_handle(publish, on_publish, l);
  *state = l;
  return 0;
}

int lab_teardown(void **state) {
  lab *l = *state;
  void *google = l->google;
  if (l->running) {
    psprobe_prober_stop(l->prober);
    psprobe_prober_stop(l->prober);
    lab_join(l);
  }
  psprobe_prober_free(l->prober);
  fake_client_teardown(&google);
  pthread_cond_destroy(&l->changed);
  pthread_mutex_destroy(&l->lock);
  psp_buf_free(&l->body);
  free(l);
  return 0;
}

static void *run(void *arg) {
  lab *l = arg;
  psprobe_error error = {0};
  if (psprobe_prober_run(l->prober, &error) != PSPROBE_OK)
    fprintf(stderr, "run: %s\n", error.message);
  return NULL;
}

void lab_run(lab *l, psprobe_prober_options options) {
  psprobe_error error = {0};
  if (options.topic == NULL) options.topic = "probes";
  if (options.listen == NULL) options.listen = "127.0.0.1:0";
  if (options.interval_ns == 0) options.interval_ns = 1000000;
  if (options.capacity == 0) options.capacity = 1000;
  options.publish_by = PSPROBE_PUBLISH_BY_REST; /* what the fake Google speaks */
  options.sink = sink;
  options.sink_arg = l;
  if (psprobe_prober_new(l->google->client, &options, &l->prober, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_int_equal(pthread_create(&l->thread, NULL, run, l), 0);
  l->running = true;
}

void lab_join(lab *l) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  if (pthread_timedjoin_np(l->thread, NULL, &until) != 0) fail_msg("the prober does not end");
  l->running = false;
}

const char *lab_published(lab *l, size_t nth) {
  pthread_mutex_lock(&l->lock);
  while (l->published <= nth)
    wait_change(l, "a message");
  pthread_mutex_unlock(&l->lock);
  return l->ids[nth];
}

const psprobe_finished *lab_finished(lab *l, size_t nth) {
  pthread_mutex_lock(&l->lock);
  while (l->finished_count <= nth)
    wait_change(l, "a finished probe");
  pthread_mutex_unlock(&l->lock);
  return &l->finished[nth];
}

void lab_hold(lab *l, bool *which, bool on) {
  pthread_mutex_lock(&l->lock);
  *which = on;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
}

static int port_of(const lab *l) {
  return (int)strtol(strrchr(psprobe_prober_url(l->prober), ':') + 1, NULL, 10);
}

int lab_ask(lab *l, const char *request) {
  int fd = raw_connect(port_of(l));
  raw_answer answer = {0};
  int status = raw_ask(fd, request, &answer);
  raw_free(&answer);
  close(fd);
  return status;
}

int lab_answer(lab *l, const char *source, const char *id, const char *headers) {
  char request[1024];
  snprintf(request, sizeof request,
           "POST /%s/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: 0\r\n\r\n", source, id,
           headers != NULL ? headers : "");
  return lab_ask(l, request);
}

psprobe_prober_stats lab_stats(lab *l) {
  psprobe_prober_stats stats;
  psprobe_prober_get_stats(l->prober, &stats);
  return stats;
}

void lab_answer_both(lab *l, const char *id) {
  assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
  assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
}
