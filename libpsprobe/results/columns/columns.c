/* SPDX-License-Identifier: MIT */
#include "results/columns/columns.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/text.h"
#include "stats/sample.h"

static void free_source(psp_source_columns *s) {
  free(s->name);
  free(s->shown);
  free(s->elapsed_ns);
  free(s->handled_ns);
  free(s->status);
  free(s->cold);
  free(s->duplicates);
  free(s->told);
  *s = (psp_source_columns){0};
}

void psp_columns_free(psp_columns *c) {
  free(c->id);
  free(c->sent_wall_ns);
  free(c->lateness_ns);
  free(c->publish_ns);
  free(c->saved_wall_ns);
  free(c->unsent);
  free(c->run);
  for (size_t k = 0; k < c->source_count; k++)
    free_source(&c->sources[k]);
  for (size_t i = 0; i < c->run_count; i++)
    psp_run_copy_free(&c->runs[i]);
  free(c->runs);
  psp_interned_free(&c->instances);
  if (c->apart != NULL) psp_columns_free(c->apart);
  free(c->apart);
  memset(c, 0, sizeof *c);
}

void psp_columns_add_source(psp_columns *c, const char *name) {
  psp_source_columns *source = &c->sources[c->source_count++];
  size_t size = strlen(name) * (PSP_ESCAPED_SIZE - 1) + 1;
  source->name = psp_strdup(name);
  source->shown = malloc(size);
  if (source->shown != NULL) psp_printable_text(source->shown, size, name);
  c->failed |= source->name == NULL || source->shown == NULL;
}

void psp_columns_set_sources(psp_columns *c, const char *const *names, size_t count) {
  for (size_t k = 0; k < count && k < PSPROBE_MAX_SOURCES; k++)
    psp_columns_add_source(c, names[k]);
}

uint32_t psp_columns_add_run(psp_columns *c, const psprobe_run *run) {
  psp_run_copy *grown = realloc(c->runs, (c->run_count + 1) * sizeof *grown);
  if (grown == NULL) {
    c->failed = true;
    return 0;
  }
  c->runs = grown;
  if (!psp_run_copy_make(&c->runs[c->run_count], run)) {
    c->failed = true;
    return 0;
  }
  return (uint32_t)c->run_count++;
}

/* Every column that has an item for each probe, so that growing and shifting name none. */
typedef struct column {
  void **at;
  size_t size;
} column;
#define COLUMNS_MOST (7 + 6 * PSPROBE_MAX_SOURCES)

static size_t list_columns(psp_columns *c, column list[COLUMNS_MOST]) {
  size_t n = 0;
#define COLUMN(array) list[n++] = (column){(void **)&(array), sizeof *(array)}
  COLUMN(c->id);
  COLUMN(c->sent_wall_ns);
  COLUMN(c->lateness_ns);
  COLUMN(c->publish_ns);
  COLUMN(c->saved_wall_ns);
  COLUMN(c->unsent);
  COLUMN(c->run);
  for (size_t k = 0; k < c->source_count; k++) {
    psp_source_columns *s = &c->sources[k];
    COLUMN(s->elapsed_ns);
    COLUMN(s->handled_ns);
    COLUMN(s->status);
    COLUMN(s->cold);
    COLUMN(s->duplicates);
    if (s->told != NULL) COLUMN(s->told);
  }
#undef COLUMN
  return n;
}

/* Makes room for one more; what is held stays when that fails. */
static bool reserve(psp_columns *c) {
  column list[COLUMNS_MOST];
  if (c->count < c->capacity) return true;
  size_t capacity = c->capacity == 0 ? 1024 : c->capacity * 2, n = list_columns(c, list);
  for (size_t i = 0; i < n; i++) {
    void *grown = realloc(*list[i].at, capacity * list[i].size);
    c->failed |= grown == NULL;
    if (grown == NULL) return false;
    *list[i].at = grown;
  }
  c->capacity = capacity;
  return true;
}

/* An answer proves that the message went out, though the publish call was not told so. */
static bool is_unsent(const psprobe_result *result) {
  bool nobody = result->publish_ns < 0 && result->publish_ns != PSP_PUBLISH_UNKNOWN;
  for (size_t k = 0; k < result->source_count && nobody; k++)
    nobody = result->answers[k].status == PSPROBE_LOST;
  return nobody;
}

/* Keeps a number that is told: one above 0. */
static void keep_ns(int64_t *to, int64_t ns) {
  if (ns > 0) *to = ns;
}

static void keep_count(uint32_t *to, uint32_t count) {
  if (count > 0) *to = count;
}

/* The column of a source that tells something for the first time. */
static bool add_told(psp_columns *c, psp_source_columns *s) {
  if (s->told == NULL) s->told = calloc(c->capacity, sizeof *s->told);
  c->failed |= s->told == NULL;
  return s->told != NULL;
}

static void keep_facts(psp_columns *c, psp_told_row *row, const psprobe_facts *f) {
  if (f->instance[0] != '\0' && !psp_interned_number(&c->instances, f->instance, &row->instance))
    c->failed = true;
  keep_count(&row->invocation, f->invocation);
  keep_count(&row->attempt, f->delivery_attempt);
  keep_ns(&row->age_ns, f->age_ns);
  keep_ns(&row->ready_ns, f->ready_ns);
  keep_ns(&row->published_ns, f->published_wall_ns);
  keep_ns(&row->arrived_ns, f->arrived_wall_ns);
  keep_ns(&row->sent_ns, f->sent_wall_ns);
  for (size_t t = 0; t < PSPROBE_STAMPS; t++)
    keep_ns(&row->exchange_ns[t], f->exchange_wall_ns[t]);
}

static void set_told(psp_columns *c, psp_source_columns *s, size_t i,
                     const psprobe_answer *answer) {
  static const psp_told_row nothing;
  psp_told_row row = s->told == NULL ? nothing : s->told[i];
  keep_ns(&row.received_ns, answer->received_wall_ns);
  keep_facts(c, &row, &answer->facts);
  if (memcmp(&row, &nothing, sizeof row) == 0 || !add_told(c, s)) return;
  s->told[i] = row;
}

void psp_columns_update(psp_columns *c, size_t i, const psprobe_result *result) {
  c->publish_ns[i] = psp_duration_bound(result->publish_ns);
  c->unsent[i] = is_unsent(result);
  for (size_t k = 0; k < c->source_count; k++) {
    psprobe_answer answer = result->answers[k];
    psp_source_columns *s = &c->sources[k];
    psp_answer_bound(&answer);
    s->elapsed_ns[i] = answer.elapsed_ns;
    s->handled_ns[i] = answer.handled_ns;
    s->status[i] = (uint8_t)answer.status;
    s->cold[i] = answer.cold;
    s->duplicates[i] = answer.duplicates;
    set_told(c, s, i, &answer);
  }
}

/* Where a probe belongs: with the others, or apart. NULL: no memory. */
static psp_columns *home_of(psp_columns *c, const psprobe_result *result) {
  if (result->cadence == PSPROBE_CADENCE_STEADY) return c;
  if (c->apart == NULL) {
    c->apart = calloc(1, sizeof *c->apart);
    for (size_t k = 0; c->apart != NULL && k < c->source_count; k++)
      psp_columns_add_source(c->apart, c->sources[k].name);
  }
  c->failed |= c->apart == NULL || c->apart->failed;
  return c->apart;
}

void psp_columns_add_foreign(psp_columns *c, uint32_t run, const char *id,
                             const psprobe_result *result, int64_t saved_wall_ns) {
  if (result->source_count != c->source_count) return;
  c = home_of(c, result);
  if (c == NULL || !reserve(c)) return;
  size_t i = c->count++;
  for (size_t k = 0; k < c->source_count; k++)
    if (c->sources[k].told != NULL) c->sources[k].told[i] = (psp_told_row){0};
  snprintf(c->id[i], sizeof c->id[i], "%s", id);
  c->sent_wall_ns[i] = psp_time_bound(result->sent_wall_ns);
  c->lateness_ns[i] = psp_duration_bound(result->lateness_ns);
  c->saved_wall_ns[i] = psp_time_bound(saved_wall_ns);
  c->run[i] = run;
  psp_columns_update(c, i, result);
}

void psp_columns_add(psp_columns *c, uint32_t run, const psprobe_result *result,
                     int64_t saved_wall_ns) {
  psp_columns_add_foreign(c, run, result->id, result, saved_wall_ns);
}

psprobe_code psp_columns_find(const psp_columns *c, const psp_chosen *chosen, size_t *which,
                              size_t *count, psprobe_error *error) {
  const char *there[PSPROBE_MAX_SOURCES];
  for (size_t k = 0; k < c->source_count; k++)
    there[k] = c->sources[k].name != NULL ? c->sources[k].name : "";
  return psp_chosen_find(chosen, there, c->source_count, which, count, error);
}

psprobe_code psp_columns_select(psp_columns *c, const char *const *names, size_t count,
                                psprobe_error *error) {
  psp_source_columns kept[PSPROBE_MAX_SOURCES] = {0};
  size_t which[PSPROBE_MAX_SOURCES];
  const psprobe_code code = psp_columns_find(c, &(psp_chosen){names, count}, which, &count, error);
  if (code != PSPROBE_OK) return code;
  for (size_t n = 0; n < count; n++) {
    kept[n] = c->sources[which[n]];
    c->sources[which[n]] = (psp_source_columns){0};
  }
  for (size_t k = 0; k < c->source_count; k++)
    free_source(&c->sources[k]);
  memcpy(c->sources, kept, sizeof kept);
  c->source_count = count;
  return c->apart != NULL ? psp_columns_select(c->apart, names, count, error) : PSPROBE_OK;
}

static void move(psp_columns *c, size_t to, size_t from, size_t count) {
  column list[COLUMNS_MOST];
  size_t n = list_columns(c, list);
  for (size_t i = 0; i < n; i++)
    memmove((char *)*list[i].at + to * list[i].size, (char *)*list[i].at + from * list[i].size,
            count * list[i].size);
}

void psp_columns_drop(psp_columns *c, size_t n) {
  if (n > c->count) n = c->count;
  if (n > 0) move(c, 0, n, c->count - n);
  c->count -= n;
}

static void keep_rows(psp_columns *c, uint32_t run) {
  size_t kept = 0;
  for (size_t i = 0, next; i < c->count; i = next) { /* a stretch of the same run at a time */
    bool keep = c->run[i] == run;
    for (next = i + 1; next < c->count && (c->run[next] == run) == keep;)
      next++;
    if (!keep) continue;
    move(c, kept, i, next - i);
    kept += next - i;
  }
  c->count = kept;
  if (kept > 0) memset(c->run, 0, kept * sizeof *c->run);
}

typedef struct sort_key {
  int64_t sent;
  size_t at;
} sort_key;

static int by_sent(const void *a, const void *b) {
  const sort_key *x = a, *y = b;
  if (x->sent != y->sent) return x->sent < y->sent ? -1 : 1;
  return x->at < y->at ? -1 : 1;
}

/* Each column in the order of the keys. */
static bool arrange(psp_columns *c, const sort_key *keys) {
  column list[COLUMNS_MOST];
  size_t n = list_columns(c, list);
  for (size_t i = 0; i < n; i++) {
    char *made = malloc(c->capacity * list[i].size), *before = *list[i].at;
    if (made == NULL) return false;
    for (size_t row = 0; row < c->count; row++)
      memcpy(made + row * list[i].size, before + keys[row].at * list[i].size, list[i].size);
    free(before);
    *list[i].at = made;
  }
  return true;
}

psprobe_code psp_columns_sort(psp_columns *c, psprobe_error *error) {
  sort_key *keys = calloc(c->count + 1, sizeof *keys);
  for (size_t i = 0; keys != NULL && i < c->count; i++)
    keys[i] = (sort_key){c->sent_wall_ns[i], i};
  if (keys != NULL) qsort(keys, c->count, sizeof *keys, by_sent);
  bool good = keys != NULL && (c->count == 0 || arrange(c, keys));
  free(keys);
  if (!good) return psp_fail_memory(error, "results");
  return c->apart != NULL ? psp_columns_sort(c->apart, error) : PSPROBE_OK;
}

void psp_columns_keep_run(psp_columns *c, uint32_t run) {
  keep_rows(c, run);
  if (c->apart != NULL) keep_rows(c->apart, run);
  for (size_t i = 0; i < c->run_count; i++)
    if (i != run) psp_run_copy_free(&c->runs[i]);
  c->runs[0] = c->runs[run];
  c->run_count = 1;
}

psprobe_probes psp_columns_probes(const psp_columns *c,
                                  psprobe_series series[PSPROBE_MAX_SOURCES]) {
  for (size_t k = 0; k < c->source_count; k++)
    series[k] = (psprobe_series){.name = c->sources[k].shown,
                                 .elapsed_ns = c->sources[k].elapsed_ns,
                                 .status = c->sources[k].status,
                                 .cold = c->sources[k].cold,
                                 .duplicates = c->sources[k].duplicates};
  return (psprobe_probes){.count = c->count,
                          .sent_ns = c->sent_wall_ns,
                          .source_count = c->source_count,
                          .sources = series,
                          .unsent = c->unsent,
                          .publish_ns = c->publish_ns};
}
