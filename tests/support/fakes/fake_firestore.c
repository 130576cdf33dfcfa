/* SPDX-License-Identifier: MIT */
#include "fake_firestore.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "files.h"

typedef struct kept {
  char id[40];
  char *fields;                       /* NULL: deleted */
  unsigned creates, patches, version; /* how often anything became of it */
} kept;

struct fake_firestore {
  pthread_mutex_t lock;
  int file;
  kept *documents;
  size_t count;
  char run[40], *run_fields; /* the last run's document */
  unsigned run_version;
  unsigned requests;
  fake_moment_fn *fn;
  void *arg;
  bool stray_next, stray_returns;
  psp_buf stray; /* a request that has not arrived yet */
  unsigned broken;
  int broken_status;
  bool broken_after;
  char refused[40];
  bool refused_whole, denied, unread;
};

static kept *find(fake_firestore *f, const char *id) {
  for (size_t i = 0; i < f->count; i++)
    if (strcmp(f->documents[i].id, id) == 0) return &f->documents[i];
  return NULL;
}

/* One line of the file: c (created), p (patched) or d (deleted), the id, the fields. */
static void apply(fake_firestore *f, char what, const char *id, const char *fields) {
  kept *document = find(f, id);
  if (document == NULL) {
    f->documents = realloc(f->documents, (f->count + 1) * sizeof *f->documents);
    document = &f->documents[f->count++];
    *document = (kept){0};
    snprintf(document->id, sizeof document->id, "%s", id);
  }
  free(document->fields);
  document->fields = what == 'd' ? NULL : strdup(fields);
  document->creates += what == 'c';
  document->patches += what == 'p';
  document->version++;
}

static void record(fake_firestore *f, char what, const char *id, const char *fields) {
  psp_buf line = {0};
  psp_buf_printf(&line, "%c %s %s\n", what, id, fields);
  ssize_t written = write(f->file, line.data, line.len); /* one write: whole or not at all */
  if (written != (ssize_t)line.len) abort();
  psp_buf_free(&line);
  apply(f, what, id, fields);
}

static void load(fake_firestore *f, const char *path) {
  psp_buf all = test_file(path);
  for (char *line = all.len == 0 ? NULL : strtok(all.data, "\n"); line != NULL;
       line = strtok(NULL, "\n"))
    if (strlen(line) >= 35) {
      line[34] = '\0';
      apply(f, line[0], line + 2, line + 35);
    }
  psp_buf_free(&all);
}

/* A run's document, which is written whole. */
static bool is_run(const char *name) {
  return strstr(name, "/pubsub_runs/") != NULL;
}

/* When a document was last changed: a year for each of its versions. */
static const char *time_of(unsigned version) {
  static char text[40];
  snprintf(text, sizeof text, "%04u-01-01T00:00:00Z", 2000 + version);
  return text;
}

/* Whether a write may be, that must have a precondition. @return the google.rpc.Code */
static int check(const psp_json *write, unsigned version, bool *creates) {
  const psp_json *condition = psp_json_get(write, "currentDocument");
  const char *time = psp_json_string(psp_json_get(condition, "updateTime"));
  bool exists = true;
  *creates = time == NULL;
  if (time != NULL)
    return version > 0 && strcmp(time, time_of(version)) == 0 ? PSPROBE_OK
                                                              : PSPROBE_FAILED_PRECONDITION;
  if (!psp_json_bool(psp_json_get(condition, "exists"), &exists) || exists) abort();
  return version > 0 ? PSPROBE_ALREADY_EXISTS : PSPROBE_OK;
}

static unsigned version_of(fake_firestore *f, const char *name) {
  const char *id = strrchr(name, '/') + 1;
  if (is_run(name)) return strcmp(f->run, id) == 0 ? f->run_version : 0;
  const kept *document = find(f, id);
  return document != NULL && document->fields != NULL ? document->version : 0;
}

static char *fields_of(const psp_json *write) {
  psp_buf fields = {0};
  psp_json_writer w = {.buf = &fields};
  psp_json_put_json(&w, psp_json_get(psp_json_get(write, "update"), "fields"));
  return psp_buf_take(&fields, NULL);
}

static void keep_run(fake_firestore *f, const char *id, const char *fields, bool creates) {
  snprintf(f->run, sizeof f->run, "%s", id);
  f->run_version = creates ? 1 : f->run_version + 1;
  free(f->run_fields);
  f->run_fields = strdup(fields);
}

/* @return the google.rpc.Code */
static int write_one(fake_firestore *f, const psp_json *write) {
  const char *name = psp_json_string(psp_json_get(psp_json_get(write, "update"), "name"));
  const char *id = name == NULL ? NULL : strrchr(name, '/') + 1;
  bool creates;
  if (id == NULL) abort();
  int code = check(write, version_of(f, name), &creates);
  const psp_json *mask = psp_json_get(psp_json_get(write, "updateMask"), "fieldPaths");
  if (psp_json_count(mask) != (creates || is_run(name) ? 0U : 4U)) abort(); /* a row's patch */
  if (strcmp(id, f->refused) == 0 && !f->refused_whole) return PSPROBE_INVALID_ARGUMENT;
  if (!creates && !is_run(name) && f->denied) return PSPROBE_PERMISSION_DENIED;
  if (code != PSPROBE_OK) return code;
  char *fields = fields_of(write);
  if (is_run(name))
    keep_run(f, id, fields, creates);
  else
    record(f, creates ? 'c' : 'p', id, fields);
  free(fields);
  return PSPROBE_OK;
}

static void at(fake_firestore *f, fake_moment moment) {
  if (f->fn != NULL) f->fn(f->arg, moment);
}

static bool names(const psp_http_request *request, const char *text) {
  return memmem(request->body, request->body_len, text, strlen(text)) != NULL;
}

static void put_status(psp_json_writer *w, int code) {
  psp_json_begin_object(w);
  if (code != 0) {
    psp_json_put_key(w, "code");
    psp_json_put_int64(w, code);
    psp_json_put_key(w, "message");
    psp_json_put_string(w, "as the test has it");
  }
  psp_json_end_object(w);
}

static void write_all(fake_firestore *f, const char *body, size_t len, psp_buf *answer) {
  psp_json *json = NULL;
  if (psp_json_parse(body, len, "request", &json, NULL) != PSPROBE_OK) abort();
  const psp_json *writes = psp_json_get(json, "writes"), *write = psp_json_first(writes);
  psp_buf results = {0};
  psp_json_writer w = {.buf = answer}, r = {.buf = &results};
  size_t count = psp_json_count(writes), done = 0;
  psp_json_begin_array(&r);
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "status");
  psp_json_begin_array(&w);
  for (; write != NULL; write = psp_json_next(write)) {
    if (done++ == count / 2) at(f, FAKE_MIDWAY);
    put_status(&w, write_one(f, write));
    psp_json_begin_object(&r);
    psp_json_end_object(&r);
  }
  psp_json_end_array(&w);
  psp_json_end_array(&r);
  psp_json_put_key(&w, "writeResults");
  psp_json_put_raw(&w, results.data, results.len);
  psp_json_end_object(&w);
  psp_buf_free(&results);
  psp_json_free(json);
}

static void arrive(fake_firestore *f) {
  psp_buf nobody = {0};
  write_all(f, f->stray.data, f->stray.len, &nobody);
  psp_buf_free(&nobody);
  psp_buf_free(&f->stray);
  f->stray_returns = false;
}

static void handle(void *arg, const psp_http_request *request, fake_answer *answer) {
  fake_firestore *f = arg;
  pthread_mutex_lock(&f->lock);
  f->requests += names(request, "arbitrary_message_id") || names(request, "updateMask");
  at(f, FAKE_BEFORE);
  bool broken = f->broken > 0 && f->broken-- > 0;
  if (f->stray_returns) arrive(f);
  if (f->refused_whole && names(request, f->refused)) {
    answer->status = 400;
    psp_buf_text(&answer->body,
                 "{\"error\":{\"code\":400,\"message\":\"one of them is bad\","
                 "\"status\":\"INVALID_ARGUMENT\"}}");
  } else if (f->stray_next) {
    f->stray_next = false;
    psp_buf_add(&f->stray, request->body, request->body_len);
    answer->status = 503;
  } else if (!broken || f->broken_after) {
    write_all(f, request->body, request->body_len, &answer->body);
  }
  at(f, FAKE_WRITTEN);
  if (broken) {
    answer->status = f->broken_status;
    psp_buf_reset(&answer->body);
  }
  pthread_mutex_unlock(&f->lock);
}

/* batchGet, of names and times alone. */
static void read_all(fake_firestore *f, const psp_json *request, psp_buf *out) {
  const psp_json *paths = psp_json_get(psp_json_get(request, "mask"), "fieldPaths");
  const char *before = "[";
  if (paths == NULL || psp_json_count(paths) != 0) abort();
  for (const psp_json *item = psp_json_first(psp_json_get(request, "documents")); item != NULL;
       item = psp_json_next(item), before = ",") {
    const char *name = psp_json_string(item);
    unsigned version = version_of(f, name);
    if (version == 0)
      psp_buf_printf(out, "%s{\"missing\":\"%s\"}", before, name);
    else
      psp_buf_printf(out, "%s{\"found\":{\"name\":\"%s\",\"updateTime\":\"%s\"}}", before, name,
                     time_of(version));
  }
  psp_buf_text(out, "]");
}

/* What is broken answers no reading either. */
static void handle_reading(void *arg, const psp_http_request *request, fake_answer *answer) {
  fake_firestore *f = arg;
  psp_json *json = NULL;
  if (psp_json_parse(request->body, request->body_len, "request", &json, NULL) != PSPROBE_OK)
    abort();
  pthread_mutex_lock(&f->lock);
  if (f->unread) {
    answer->status = 403;
    psp_buf_text(&answer->body,
                 "[{\"error\":{\"code\":403,\"message\":\"Missing or insufficient permissions.\","
                 "\"status\":\"PERMISSION_DENIED\"}}]");
  } else if (f->broken > 0 && !f->broken_after) {
    f->broken--;
    answer->status = f->broken_status;
  } else {
    read_all(f, json, &answer->body);
  }
  pthread_mutex_unlock(&f->lock);
  psp_json_free(json);
}

fake_firestore *fake_firestore_new(fake_transport *fake, const char *path) {
  fake_firestore *f = calloc(1, sizeof *f);
  pthread_mutex_init(&f->lock, NULL);
  f->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  assert_true(f->file >= 0);
  load(f, path);
  fake_handle(fake_times(fake_expect(fake, "POST",
                                     FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT
                                                    "/databases/*/documents:batchWrite"),
                         0),
              handle, f);
  fake_handle(fake_times(fake_expect(fake, "POST",
                                     FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT
                                                    "/databases/*/documents:batchGet"),
                         0),
              handle_reading, f);
  return f;
}

void fake_firestore_free(fake_firestore *f) {
  for (size_t i = 0; i < f->count; i++)
    free(f->documents[i].fields);
  free(f->documents);
  free(f->run_fields);
  psp_buf_free(&f->stray);
  close(f->file);
  pthread_mutex_destroy(&f->lock);
  free(f);
}

void fake_firestore_at(fake_firestore *f, fake_moment_fn *fn, void *arg) {
  pthread_mutex_lock(&f->lock);
  f->fn = fn;
  f->arg = arg;
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_break(fake_firestore *f, unsigned count, int status, bool after) {
  pthread_mutex_lock(&f->lock);
  f->broken = count;
  f->broken_status = status;
  f->broken_after = after;
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_lead_astray(fake_firestore *f) {
  pthread_mutex_lock(&f->lock);
  f->stray_next = true;
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_return(fake_firestore *f, bool before_next) {
  pthread_mutex_lock(&f->lock);
  f->stray_returns = before_next;
  if (!before_next) arrive(f);
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_refuse(fake_firestore *f, const char *id, bool whole) {
  pthread_mutex_lock(&f->lock);
  snprintf(f->refused, sizeof f->refused, "%s", id == NULL ? "" : id);
  f->refused_whole = id != NULL && whole;
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_deny_patches(fake_firestore *f, bool deny) {
  pthread_mutex_lock(&f->lock);
  f->denied = deny;
  pthread_mutex_unlock(&f->lock);
}

void fake_firestore_deny_readings(fake_firestore *f, bool deny) {
  pthread_mutex_lock(&f->lock);
  f->unread = deny;
  pthread_mutex_unlock(&f->lock);
}

unsigned fake_firestore_requests(fake_firestore *f) {
  pthread_mutex_lock(&f->lock);
  unsigned requests = f->requests;
  pthread_mutex_unlock(&f->lock);
  return requests;
}

size_t fake_firestore_count(fake_firestore *f) {
  size_t count = 0;
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count; i++)
    count += f->documents[i].fields != NULL;
  pthread_mutex_unlock(&f->lock);
  return count;
}

static kept look(fake_firestore *f, const char *id) {
  pthread_mutex_lock(&f->lock);
  const kept *document = find(f, id);
  kept copy = document == NULL ? (kept){0} : *document;
  pthread_mutex_unlock(&f->lock);
  return copy;
}

const char *fake_firestore_run(fake_firestore *f, const char *id) {
  pthread_mutex_lock(&f->lock);
  const char *fields = strcmp(f->run, id) == 0 ? f->run_fields : NULL;
  pthread_mutex_unlock(&f->lock);
  return fields;
}

const char *fake_firestore_get(fake_firestore *f, const char *id) {
  return look(f, id).fields;
}
unsigned fake_firestore_creates(fake_firestore *f, const char *id) {
  return look(f, id).creates;
}
unsigned fake_firestore_patches(fake_firestore *f, const char *id) {
  return look(f, id).patches;
}

void fake_firestore_delete(fake_firestore *f, const char *id) {
  pthread_mutex_lock(&f->lock);
  record(f, 'd', id, "");
  pthread_mutex_unlock(&f->lock);
}
