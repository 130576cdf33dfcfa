/* SPDX-License-Identifier: MIT */
#include "patient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"

static void hear(void *arg, const psprobe_finding *finding) {
  patient *p = arg;
  char *line = psprobe_finding_text(finding, false);
  psp_buf_text(&p->text, line);
  free(line);
}

void patient_examine(patient *p) {
  psprobe_diagnosis *diagnosis = NULL;
  psprobe_error error = {0};
  psp_buf_reset(&p->text);
  if (psprobe_doctor_run(&p->options, hear, p, &diagnosis, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  p->failed = (unsigned)psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_FAILED);
  p->warnings = (unsigned)psprobe_diagnosis_count(diagnosis, PSPROBE_DOCTOR_WARNING);
  char *json = psprobe_diagnosis_json(diagnosis);
  assert_null(strstr(json, FAKE_CLOUD_TOKEN));
  assert_null(strstr(json, "PRIVATE KEY"));
  free(json);
  psprobe_diagnosis_free(diagnosis);
}

void patient_says(const patient *p, const char *begin, const char *part) {
  for (const char *line = p->text.data; line != NULL && *line != 0;) {
    const char *end = line;
    do {
      end = strchr(end, '\n') + 1;
    } while (*end == ' ');
    const char *at = strstr(line, part);
    if (strncmp(line, begin, strlen(begin)) == 0 && at != NULL && at < end) return;
    line = end;
  }
  fail_msg("no line \"%s\" with \"%s\" in:\n%s", begin, part, p->text.data);
}

void patient_finds(const patient *p, unsigned failed, unsigned warnings) {
  if (p->failed != failed || p->warnings != warnings)
    fail_msg("%u failed and %u warnings, not %u and %u:\n%s", p->failed, p->warnings, failed,
             warnings, p->text.data);
}

int patient_setup(void **state) {
  patient *p = calloc(1, sizeof *p);
  p->google = fake_cloud_start();
  const char *url = fake_cloud_url(p->google);
  test_auth_environment();
  char more[200];
  snprintf(more, sizeof more, ",\"token_uri\":\"%s/token\"", url);
  char *key = test_service_account(NULL, more);
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(test_directory(), "key.json", 0600, key), 1);
  free(key);
  p->options = (psprobe_doctor_options){
      .client = {.project = "demo-project", .pubsub_endpoint = url, .firestore_endpoint = url},
      .resource_manager = url};
  *state = p;
  return 0;
}

int patient_teardown(void **state) {
  patient *p = *state;
  fake_cloud_stop(p->google);
  psp_buf_free(&p->text);
  free(p);
  return 0;
}
