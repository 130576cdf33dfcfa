/* SPDX-License-Identifier: MIT */
#include "uploading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"

static void keep_line(void *arg, psprobe_log_level level, const char *line) {
  uploading *s = arg;
  (void)level;
  strncat(s->log, line, sizeof s->log - strlen(s->log) - 2);
  strcat(s->log, "\n");
}

int uploading_setup_bare(void **state) {
  uploading *s = calloc(1, sizeof *s);
  if (s == NULL || scratch_setup(&s->folder) != 0 || fake_client_setup(&s->client) != 0) return -1;
  s->logger = (psprobe_logger){.sink = keep_line, .arg = s, .level = PSPROBE_LOG_DEBUG};
  s->store = scratch_store(scratch_file(&s->folder, "r.db"), false);
  s->run = scratch_run(1);
  *state = s;
  return psprobe_store_begin_run(s->store, &s->run, NULL);
}

int uploading_setup(void **state) {
  if (uploading_setup_bare(state) != 0) return -1;
  uploading *s = *state;
  s->firestore =
      fake_firestore_new(((fake_client *)s->client)->fake, scratch_file(&s->folder, "documents"));
  return 0;
}

int uploading_teardown(void **state) {
  uploading *s = *state;
  psprobe_uploader_free(s->uploader);
  psprobe_store_free(s->store);
  fake_client_teardown(&s->client);
  if (s->firestore != NULL) fake_firestore_free(s->firestore);
  int result = scratch_teardown(&s->folder);
  free(s);
  return result;
}

psprobe_uploader *uploading_start(uploading *s) {
  psprobe_error error = {0};
  psprobe_uploader_options options = {.logger = &s->logger};
  if (psprobe_uploader_new(s->store, ((fake_client *)s->client)->client, &options, &s->uploader,
                           &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return s->uploader;
}

void uploading_stop(uploading *s) {
  psprobe_uploader_free(s->uploader);
  s->uploader = NULL;
}

void uploading_add(uploading *s, uint64_t from, uint64_t count, bool update) {
  psprobe_finished *batch = calloc(count, sizeof *batch);
  psprobe_error error = {0};
  for (uint64_t i = 0; i < count; i++) {
    batch[i] = scratch_finished(from + i);
    batch[i].update = update;
    if (update) batch[i].result.answers[0].duplicates = 9;
  }
  if (psprobe_store_add(s->store, s->run.id, batch, count, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  free(batch);
}

uint64_t uploading_backlog(uploading *s) {
  uint64_t rows = 99;
  assert_int_equal(psprobe_store_backlog(s->store, &rows, NULL), PSPROBE_OK);
  return rows;
}

void uploading_expect(uploading *s, uint64_t count) {
  assert_int_equal(fake_firestore_count(s->firestore), count);
  for (uint64_t i = 0; i < count; i++) {
    char id[PSPROBE_ID_SIZE];
    scratch_id(id, i);
    assert_int_equal(fake_firestore_creates(s->firestore, id), 1);
  }
  assert_int_equal(uploading_backlog(s), 0);
}

unsigned uploading_count(const char *text, const char *part) {
  unsigned count = 0;
  for (; (text = strstr(text, part)) != NULL; text++)
    count++;
  return count;
}

psprobe_code uploading_try(psprobe_uploader *uploader, psprobe_error *error) {
  int64_t until = psprobe_clock_monotonic() + UPLOADING_PATIENCE;
  psprobe_code code;
  do {
    psprobe_error_clear(error);
    code = psprobe_uploader_flush(uploader, UPLOADING_SECOND / 50, error);
  } while (code != PSPROBE_OK && (code != PSPROBE_INVALID_ARGUMENT || error->retryable) &&
           psprobe_clock_monotonic() < until);
  return code;
}

void uploading_flush(psprobe_uploader *uploader) {
  psprobe_error error = {0};
  psprobe_uploader_wake(uploader);
  if (uploading_try(uploader, &error) != PSPROBE_OK) fail_msg("%s", error.message);
}
