/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "results/upload/run_document.h"
#include "scratch.h"
#include "uploading.h"
#include "values.h"

static psprobe_run full_run(void) {
  psprobe_run run = scratch_run(3);
  run.ended_wall_ns = run.started_wall_ns + 1000000001;
  run.ending = PSPROBE_ENDING_STOPPED;
  run.resumed = 2;
  run.host = "h\xC3\xA9";
  run.version = "1.2.3";
  run.region = "europe-central2";
  run.clock = "tsc, within 1.2 ms";
  run.settings = "{\"filler_ns\":5}";
  return run;
}

static void expect_same(const psprobe_run *a, const psprobe_run *b) {
  assert_string_equal(a->id, b->id);
  assert_int_equal(a->started_wall_ns, b->started_wall_ns);
  assert_int_equal(a->ended_wall_ns, b->ended_wall_ns);
  assert_int_equal(a->ending, b->ending);
  assert_int_equal(a->resumed, b->resumed);
  assert_int_equal(a->interval_ns, b->interval_ns);
  assert_int_equal(a->timeout_ns, b->timeout_ns);
  assert_int_equal(a->source_count, b->source_count);
  for (size_t i = 0; i < a->source_count; i++)
    assert_string_equal(a->sources[i], b->sources[i]);
  const char *const of_a[] = {a->project, a->topic, a->host,    a->version,
                              a->region,  a->clock, a->settings},
                    *const of_b[] = {b->project, b->topic, b->host,    b->version,
                                     b->region,  b->clock, b->settings};
  for (size_t i = 0; i < sizeof of_a / sizeof *of_a; i++) {
    assert_int_equal(of_a[i] == NULL, of_b[i] == NULL);
    if (of_a[i] != NULL) assert_string_equal(of_a[i], of_b[i]);
  }
}

static void test_there_and_back(void **state) {
  (void)state;
  psprobe_run full = full_run(), bare = {.source_count = 1, .sources = {"alone"}}, back;
  memcpy(bare.id, full.id, sizeof bare.id);
  const psprobe_run *const runs[] = {&full, &bare};
  for (size_t i = 0; i < 2; i++) {
    psprobe_value *document = psp_run_document(runs[i], NULL);
    assert_non_null(document);
    assert_true(psp_run_document_read(document, &back));
    expect_same(&back, runs[i]);
    psprobe_value_free(document);
  }
}

/* What is nobody's run is none, and no number comes of what is no number. */
static void test_strangers(void **state) {
  (void)state;
  psprobe_run run = full_run(), back;
  static const char *const keys[] = {"run_id", "sources"};
  for (size_t i = 0; i < 2; i++) {
    psprobe_value *document = psp_run_document(&run, NULL);
    psprobe_value_set(document, keys[i], psprobe_value_string("no\nname"));
    assert_false(psp_run_document_read(document, &back));
    psprobe_value_free(document);
  }
  psprobe_value *document = psp_run_document(&run, NULL), *many = psprobe_value_array();
  for (int i = 0; i <= PSPROBE_MAX_SOURCES; i++)
    psprobe_value_append(many, psprobe_value_string("x"));
  psprobe_value_set(document, "resumed", psprobe_value_integer(-1));
  psprobe_value_set(document, "ending", psprobe_value_string("sideways"));
  psprobe_value_set(document, "started_ns", psprobe_value_string("soon"));
  assert_true(psp_run_document_read(document, &back));
  assert_int_equal(back.resumed, 0);
  assert_int_equal(back.ending, PSPROBE_ENDING_UNKNOWN);
  assert_int_equal(back.started_wall_ns, run.started_wall_ns); /* started_at has it */
  psprobe_value_set(document, "sources", many);
  assert_false(psp_run_document_read(document, &back));
  psprobe_value *twice = psprobe_value_array();
  for (int i = 0; i < 2; i++)
    psprobe_value_append(twice, psprobe_value_string("x"));
  psprobe_value_set(document, "sources", twice);
  assert_false(psp_run_document_read(document, &back));
  psprobe_value_free(document);
}

/* Its settings from the start on, a summary at the end, nothing twice; and the flush waits for it.
 */
static void test_uploaded(void **state) {
  uploading *s = *state;
  psprobe_uploader *uploader = uploading_start(s);
  uploading_flush(uploader);
  const char *fields = fake_firestore_run(s->firestore, s->run.id);
  assert_non_null(fields);
  assert_non_null(strstr(fields, "\"summary\":{\"nullValue\":null}"));
  assert_non_null(strstr(fields, "\"ending\":{\"nullValue\":null}"));
  assert_non_null(strstr(fields, "\"topic\":{\"stringValue\":\"probes\"}"));
  uploading_add(s, 0, 700, false);
  psprobe_finished lost = scratch_finished(1000);
  lost.result.answers[1] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  scratch_add(s->store, 1, &lost);
  assert_int_equal(psprobe_store_end_run(s->store, s->run.id, SCRATCH_SENT_NS + 5,
                                         PSPROBE_ENDING_FINISHED, NULL),
                   PSPROBE_OK);
  uploading_flush(uploader);
  uploading_stop(s);
  fields = fake_firestore_run(s->firestore, s->run.id);
  assert_non_null(strstr(fields, "\"ending\":{\"stringValue\":\"finished\"}"));
  assert_non_null(strstr(fields, "\"probes\":{\"integerValue\":\"701\"}"));
  assert_non_null(strstr(fields,
                         "\"regular_service\":{\"mapValue\":{\"fields\":{\"lost\":"
                         "{\"integerValue\":\"1\"},\"answered\":{\"integerValue\":\"700\"},"
                         "\"late\":{\"integerValue\":\"0\"},\"interrupted\":"
                         "{\"integerValue\":\"0\"}"));
  assert_non_null(strstr(fields, "\"min_ns\":{\"integerValue\":\"50000000\"}"));
  assert_int_equal(fake_firestore_count(s->firestore), 701);
  assert_string_equal(s->log, "");
}

/* One that Firestore does not take is told, and holds up nothing. */
static void test_refused(void **state) {
  uploading *s = *state;
  fake_firestore_refuse(s->firestore, s->run.id, false);
  uploading_add(s, 5, 3, false);
  psprobe_uploader *uploader = uploading_start(s);
  psprobe_error error = {0};
  if (psprobe_uploader_flush(uploader, UPLOADING_PATIENCE, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_int_equal(fake_firestore_count(s->firestore), 3);
  uploading_stop(s);
  assert_int_equal(uploading_count(s->log, "event=upload_refused"), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_strangers),
      UPLOADING_TEST(test_uploaded),
      UPLOADING_TEST(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
