/* SPDX-License-Identifier: MIT */
#include "documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "firestore/value/value.h"
#include "results/upload/run_document.h"
#include "same.h"

#define MOST_DOCUMENTS 4096

/* The documents that there are, and who looks at them. */
typedef struct audit {
  psprobe_store *store;
  psp_stopper stopper;
  struct {
    char id[PSPROBE_ID_SIZE];
    psprobe_value *fields;
  } documents[MOST_DOCUMENTS];
  size_t count, expected;
} audit;

static bool keep_document(void *arg, const psprobe_document *document) {
  audit *a = arg;
  if (a->count == MOST_DOCUMENTS) abort();
  snprintf(a->documents[a->count].id, PSPROBE_ID_SIZE, "%s",
           strrchr(psprobe_document_name(document), '/') + 1);
  a->documents[a->count++].fields = psp_value_copy(psprobe_document_fields(document));
  return true;
}

/* Takes what is expected. */
static void compare(audit *a, const char *what, const char *id, psprobe_value *expected) {
  size_t at = 0;
  a->expected++;
  while (at < a->count && strcmp(a->documents[at].id, id) != 0)
    at++;
  if (at == a->count) {
    sim_fault("%s %s is not in Firestore", what, id);
  } else if (!sim_same(expected, a->documents[at].fields)) {
    sim_fault("%s %s: its document is not what the file holds", what, id);
    sim_show("the file", expected);
    sim_show("Firestore", a->documents[at].fields);
  }
  psprobe_value_free(expected);
}

static bool look_at_row(void *arg, const psprobe_row *row) {
  if (!row->uploaded) sim_fault("probe %s is not marked as uploaded", row->result.id);
  compare(arg, "probe", row->result.id, psprobe_result_document(row));
  return true;
}

static bool look_at_run(void *arg, const psprobe_run *run) {
  audit *a = arg;
  if (run->ended_wall_ns == 0) sim_fault("run %s has not ended", run->id);
  compare(a, "run", run->id, psp_run_document(run, psp_run_summary(a->store, run, &a->stopper)));
  return true;
}

static audit *begin(psprobe_store *store, psprobe_client *client, const char *collection) {
  psprobe_error error = {0};
  const psprobe_listing all = {.collection = collection};
  audit *a = calloc(1, sizeof *a);
  if (a == NULL) abort();
  a->store = store;
  psp_stopper_init(&a->stopper);
  if (psprobe_document_list(client, &all, keep_document, a, &error) != PSPROBE_OK)
    sim_fault("the documents cannot be listed: %s", error.message);
  return a;
}

static void end(audit *a, psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK) sim_fault("the file cannot be read: %s", error->message);
  if (a->count != a->expected)
    sim_fault("%zu documents in Firestore, %zu things in the file", a->count, a->expected);
  for (size_t i = 0; i < a->count; i++)
    psprobe_value_free(a->documents[i].fields);
  psp_stopper_destroy(&a->stopper);
  free(a);
}

void sim_documents_balance(psprobe_store *store, psprobe_client *client, const char *collection) {
  psprobe_error error = {0};
  audit *a = begin(store, client, collection);
  end(a, psprobe_store_each(store, NULL, look_at_row, a, &error), &error);
}

void sim_runs_balance(psprobe_store *store, psprobe_client *client, const char *collection) {
  psprobe_error error = {0};
  audit *a = begin(store, client, collection);
  end(a, psprobe_store_each_run(store, NULL, look_at_run, a, &error), &error);
}
