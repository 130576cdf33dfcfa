/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "values.h"

static void expect(const psprobe_row *row, const char *want) {
  psprobe_value *document = psprobe_result_document(row);
  assert_non_null(document);
  char *json = test_value_json(document);
  assert_string_equal(json, want);
  free(json);
  psprobe_value_free(document);
}

/* The five fields of the first experiment with their names and types, and ours after them. */
static void test_both_answered(void **state) {
  (void)state;
  psprobe_run run = scratch_run(1);
  psprobe_row row = {.run = &run,
                     .result = scratch_finished(2).result,
                     .saved_wall_ns = SCRATCH_SENT_NS + 11000000001};
  row.result.answers[0].cold = true;
  row.result.answers[1].duplicates = 2;
  expect(&row,
         "{\"mapValue\":{\"fields\":{"
         "\"arbitrary_message_id\":{\"stringValue\":\"3c6ef372fe94f82a0000000000000002\"},"
         "\"probe_sent\":{\"timestampValue\":\"2026-11-24T22:18:58.773Z\"},"
         "\"cloud_func_response_time\":{\"integerValue\":\"60000002\"},"
         "\"reg_service_response_time\":{\"integerValue\":\"50000002\"},"
         "\"saved_at\":{\"timestampValue\":\"2026-11-24T22:18:59.773000001Z\"},"
         "\"run_id\":{\"stringValue\":\"9e3779b97f4a7c150000000000000001\"},"
         "\"publish_ns\":{\"integerValue\":\"20000000\"},"
         "\"sources\":{\"mapValue\":{\"fields\":{"
         "\"cloud_function\":{\"mapValue\":{\"fields\":{"
         "\"elapsed_ns\":{\"integerValue\":\"60000002\"},"
         "\"received_at\":{\"timestampValue\":\"2026-11-24T22:18:58.833000002Z\"},"
         "\"status\":{\"stringValue\":\"answered\"},"
         "\"duplicates\":{\"integerValue\":\"0\"},"
         "\"cold\":{\"booleanValue\":true},"
         "\"handled_ns\":{\"integerValue\":\"1000000\"}}}},"
         "\"regular_service\":{\"mapValue\":{\"fields\":{"
         "\"elapsed_ns\":{\"integerValue\":\"50000002\"},"
         "\"received_at\":{\"timestampValue\":\"2026-11-24T22:18:58.823000002Z\"},"
         "\"status\":{\"stringValue\":\"answered\"},"
         "\"duplicates\":{\"integerValue\":\"2\"},"
         "\"cold\":{\"booleanValue\":false},"
         "\"handled_ns\":{\"nullValue\":null}}}}}}},"
         "\"sent_ns\":{\"integerValue\":\"1795558738773000000\"},"
         "\"saved_ns\":{\"integerValue\":\"1795558739773000001\"},"
         "\"lateness_ns\":{\"integerValue\":\"1000\"}}}}");
}

/* Other sources appear under `sources` alone; what is not known is null, never a made-up number. */
static void test_lost_late_and_other_sources(void **state) {
  (void)state;
  psprobe_run run = scratch_run(1);
  run.source_count = 3;
  run.sources[0] = "warm-instance";
  run.sources[1] = "regular_service";
  run.sources[2] = "cloud_function";
  psprobe_row row = {.run = &run, .result = scratch_finished(2).result};
  row.saved_wall_ns = -1;
  row.result.publish_ns = -1;
  row.result.source_count = 3;
  row.result.answers[1].status = PSPROBE_LATE;
  row.result.answers[1].elapsed_ns = 31000000000;
  row.result.answers[2] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  expect(&row,
         "{\"mapValue\":{\"fields\":{"
         "\"arbitrary_message_id\":{\"stringValue\":\"3c6ef372fe94f82a0000000000000002\"},"
         "\"probe_sent\":{\"timestampValue\":\"2026-11-24T22:18:58.773Z\"},"
         "\"cloud_func_response_time\":{\"nullValue\":null},"
         "\"reg_service_response_time\":{\"integerValue\":\"31000000000\"},"
         "\"saved_at\":{\"timestampValue\":\"1969-12-31T23:59:59.999999999Z\"},"
         "\"run_id\":{\"stringValue\":\"9e3779b97f4a7c150000000000000001\"},"
         "\"publish_ns\":{\"nullValue\":null},"
         "\"sources\":{\"mapValue\":{\"fields\":{"
         "\"warm-instance\":{\"mapValue\":{\"fields\":{"
         "\"elapsed_ns\":{\"integerValue\":\"60000002\"},"
         "\"received_at\":{\"timestampValue\":\"2026-11-24T22:18:58.833000002Z\"},"
         "\"status\":{\"stringValue\":\"answered\"},"
         "\"duplicates\":{\"integerValue\":\"0\"},"
         "\"cold\":{\"booleanValue\":false},"
         "\"handled_ns\":{\"integerValue\":\"1000000\"}}}},"
         "\"regular_service\":{\"mapValue\":{\"fields\":{"
         "\"elapsed_ns\":{\"integerValue\":\"31000000000\"},"
         "\"received_at\":{\"timestampValue\":\"2026-11-24T22:19:29.773Z\"},"
         "\"status\":{\"stringValue\":\"late\"},"
         "\"duplicates\":{\"integerValue\":\"0\"},"
         "\"cold\":{\"booleanValue\":false},"
         "\"handled_ns\":{\"nullValue\":null}}}},"
         "\"cloud_function\":{\"mapValue\":{\"fields\":{"
         "\"elapsed_ns\":{\"nullValue\":null},"
         "\"received_at\":{\"nullValue\":null},"
         "\"status\":{\"stringValue\":\"lost\"},"
         "\"duplicates\":{\"integerValue\":\"0\"},"
         "\"cold\":{\"booleanValue\":false},"
         "\"handled_ns\":{\"nullValue\":null}}}}}}},"
         "\"sent_ns\":{\"integerValue\":\"1795558738773000000\"},"
         "\"saved_ns\":{\"integerValue\":\"-1\"},"
         "\"lateness_ns\":{\"integerValue\":\"1000\"}}}}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_answered),
      cmocka_unit_test(test_lost_late_and_other_sources),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
