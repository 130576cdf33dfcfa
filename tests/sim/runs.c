/* SPDX-License-Identifier: MIT */
#include "runs.h"

#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "firestore/value/value.h"
#include "results/upload/run_document.h"
#include "same.h"

#define MOST_RUNS 16

/* The documents that there are, and who looks at them. */
typedef struct audit {
  psprobe_store *store;
  psp_stopper stopper;
  psprobe_value *documents[MOST_RUNS];
  size_t count, runs;
} audit;

static bool keep_document(void *arg, const psprobe_document *document) {
  audit *a = arg;
  if (a->count == MOST_RUNS) abort();
  a->documents[a->count++] = psp_value_copy(psprobe_document_fields(document));
  return true;
}

static const psprobe_value *find(const audit *a, const char *id) {
  psprobe_run run;
  for (size_t i = 0; i < a->count; i++)
    if (psp_run_document_read(a->documents[i], &run) && strcmp(run.id, id) == 0)
      return a->documents[i];
  return NULL;
}

static bool look_at_run(void *arg, const psprobe_run *run) {
  audit *a = arg;
  const psprobe_value *kept = find(a, run->id);
  a->runs++;
  if (run->ended_wall_ns == 0) sim_fault("run %s has not ended", run->id);
  psprobe_value *expected = psp_run_document(run, psp_run_summary(a->store, run, &a->stopper));
  if (kept == NULL) {
    sim_fault("run %s is not in Firestore", run->id);
  } else if (!sim_same(expected, kept)) {
    sim_fault("run %s: its document is not what the file holds", run->id);
    sim_show("the file", expected);
    sim_show("Firestore", kept);
  }
  psprobe_value_free(expected);
  return true;
}

void sim_runs_balance(psprobe_store *store, psprobe_client *client, const char *collection) {
  psprobe_error error = {0};
  audit a = {.store = store};
  const psprobe_listing all = {.collection = collection};
  psp_stopper_init(&a.stopper);
  if (psprobe_document_list(client, &all, keep_document, &a, &error) != PSPROBE_OK)
    sim_fault("the runs' documents cannot be listed: %s", error.message);
  if (psprobe_store_each_run(store, NULL, look_at_run, &a, &error) != PSPROBE_OK)
    sim_fault("the file's runs cannot be read: %s", error.message);
  if (a.count != a.runs) sim_fault("%zu runs in Firestore, %zu in the file", a.count, a.runs);
  for (size_t i = 0; i < a.count; i++)
    psprobe_value_free(a.documents[i]);
  psp_stopper_destroy(&a.stopper);
}
