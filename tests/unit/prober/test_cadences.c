/* SPDX-License-Identifier: MIT */
/** @file What a prober publishes beside its steady probes: rare ones on a topic of their own, which
 * are in no figure of the others, and messages without a probe. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "lab.h"

#define MS   INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

/* Publish calls of one kind. */
typedef struct seen {
  sem_t come;
  char id[PSPROBE_ID_SIZE]; /* of the first with a probe */
  _Atomic unsigned without;
  _Atomic int status;
} seen;

static void on_rare(void *arg, const psp_http_request *request, fake_answer *answer) {
  seen *s = arg;
  psp_json *json = NULL;
  if (psp_json_parse(request->body, request->body_len, "publish", &json, NULL) == PSPROBE_OK) {
    const psp_json *attributes =
        psp_json_get(psp_json_first(psp_json_get(json, "messages")), "attributes");
    const char *id = psp_json_string(psp_json_get(attributes, PSPROBE_ATTRIBUTE_ID));
    if (id != NULL && s->id[0] == '\0') snprintf(s->id, sizeof s->id, "%s", id);
    if (id == NULL && psp_json_get(attributes, PSPROBE_ATTRIBUTE_FILLER) != NULL) s->without++;
  }
  psp_json_free(json);
  answer->status = s->status;
  psp_buf_text(&answer->body, "{\"messageIds\":[\"1\"]}");
  sem_post(&s->come);
}

static void expect_topic(lab *l, const char *topic, seen *s) {
  char url[256];
  snprintf(url, sizeof url, FAKE_PUBSUB "/v1/projects/" FAKE_PROJECT "/topics/%s:publish", topic);
  sem_init(&s->come, 0, 0);
  s->status = 200;
  fake_handle(fake_times(fake_expect(l->google->fake, "POST", url), 0), on_rare, s);
}

static void await(seen *s) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  if (sem_timedwait(&s->come, &until) != 0) fail_msg("no message has come");
}

/* The first at once; answered by one source, and nobody is missed. */
static void test_rare_probes(void **state) {
  lab *l = *state;
  seen rare = {0};
  expect_topic(l, "rare", &rare);
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR,
                                      .timeout_ns = 300 * MS,
                                      .cold_topic = "rare",
                                      .cold_every_ns = HOUR});
  await(&rare);
  const char *steady = lab_published(l, 0);
  assert_int_equal(lab_answer(l, "cloud_function", steady, NULL), 200);
  assert_int_equal(lab_answer(l, "regular_service", steady, NULL), 200);
  assert_int_equal(lab_answer(l, "cloud_function", rare.id, "Psprobe-Cold: 1\r\n"), 200);
  assert_int_equal(lab_answer(l, "cloud_function", rare.id, NULL), 200); /* again */
  for (size_t i = 0; i < 2; i++) {
    const psprobe_result *r = &lab_finished(l, i)->result;
    bool is_rare = strcmp(r->id, rare.id) == 0;
    assert_int_equal(r->cadence, is_rare ? PSPROBE_CADENCE_COLD : PSPROBE_CADENCE_STEADY);
    assert_int_equal(r->answers[1].status, is_rare ? PSPROBE_LOST : PSPROBE_ANSWERED);
    assert_int_equal(r->answers[0].cold, is_rare);
  }
  psprobe_prober_stats stats = lab_stats(l);
  assert_int_equal(stats.sent, 1);
  assert_int_equal(stats.cold_sent, 1);
  assert_int_equal(stats.completed, 2);
  assert_int_equal(stats.answered[0], 1);
  assert_int_equal(stats.lost[1], 0);
  assert_int_equal(stats.duplicates[0], 0);
  psprobe_prober_settings settings;
  psprobe_prober_get_settings(l->prober, &settings);
  assert_int_equal(settings.cold_every_ns, HOUR);
  psprobe_prober_stop(l->prober);
  lab_join(l);
  sem_destroy(&rare.come);
}

/* They wait for nobody, and end with the run. */
static void test_fillers(void **state) {
  lab *l = *state;
  seen other = {0};
  expect_topic(l, "other", &other);
  lab_run(l, (psprobe_prober_options){
                 .topic = "other", .interval_ns = HOUR, .count = 2, .filler_ns = MS});
  for (int i = 0; i < 6; i++)
    await(&other);
  other.status = 403;
  while (lab_stats(l).filler_failed == 0)
    await(&other);
  psprobe_prober_stop(l->prober);
  psprobe_prober_stop(l->prober);
  lab_join(l);
  psprobe_prober_stats stats = lab_stats(l);
  assert_true(other.without >= 5);
  assert_true(stats.filler_sent >= other.without);
  assert_int_equal(stats.sent, 1);
  assert_int_equal(stats.cold_sent, 0);
  sem_destroy(&other.come);
}

static void test_what_makes_no_sense(void **state) {
  lab *l = *state;
  static const struct {
    psprobe_prober_options options;
    const char *says;
  } cases[] = {
      {{.topic = "probes", .cold_every_ns = 1}, "--cold-topic"},
      {{.topic = "probes", .cold_topic = "probes"}, "topic of their own"},
      {{.topic = "probes", .cold_topic = "rare", .cold_every_ns = -1}, "above 0"},
      {{.topic = "probes", .filler_ns = -1}, "above 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_prober *prober = NULL;
    psprobe_error error = {0};
    psprobe_prober_options options = cases[i].options;
    options.listen = "127.0.0.1:0";
    assert_int_equal(psprobe_prober_new(l->google->client, &options, &prober, &error),
                     PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].says) == NULL) fail_msg("%s", error.message);
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_rare_probes),
      TEST(test_fillers),
      TEST(test_what_makes_no_sense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
