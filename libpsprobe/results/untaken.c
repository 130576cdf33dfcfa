/* SPDX-License-Identifier: MIT */
#include "results/untaken.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"

typedef struct member {
  const char *key;
  size_t at; /* of the counter, in psprobe_connections */
} member;

static const member members[] = {
    {"requests", offsetof(psprobe_connections, untaken)},
    {"refused", offsetof(psprobe_connections, refused)},
    {"made_room", offsetof(psprobe_connections, made_room)},
    {"overdue", offsetof(psprobe_connections, overdue)},
    {"starved", offsetof(psprobe_connections, starved)},
};
#define MEMBERS (sizeof members / sizeof *members)

static uint64_t *counter(psprobe_connections *connections, const member *m) {
  return (uint64_t *)(void *)((char *)connections + m->at);
}

psp_untaken psp_untaken_of(const psprobe_prober_stats *stats) {
  psp_untaken untaken = {.connections = stats->connections};
  untaken.connections.open = 0; /* which is no history */
  memcpy(untaken.in_doubt, stats->in_doubt, sizeof untaken.in_doubt);
  return untaken;
}

void psp_untaken_sum(psp_untaken *sum, const psp_untaken *other) {
  psprobe_connections connections = other->connections;
  for (size_t i = 0; i < MEMBERS; i++)
    *counter(&sum->connections, &members[i]) += *counter(&connections, &members[i]);
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++)
    sum->in_doubt[i] += other->in_doubt[i];
}

void psp_untaken_put(psp_json_writer *w, const psp_untaken *untaken, const char *const *sources,
                     size_t count) {
  psprobe_connections connections = untaken->connections;
  psp_json_put_key(w, "untaken");
  psp_json_begin_object(w);
  for (size_t i = 0; i < MEMBERS; i++) {
    psp_json_put_key(w, members[i].key);
    psp_json_put_int64(w, (int64_t)*counter(&connections, &members[i]));
  }
  psp_json_put_key(w, "in_doubt");
  psp_json_begin_object(w);
  for (size_t i = 0; i < count; i++) {
    psp_json_put_key(w, sources[i]);
    psp_json_put_int64(w, (int64_t)untaken->in_doubt[i]);
  }
  psp_json_end_object(w);
  psp_json_end_object(w);
}

/* A file is anybody's: what is no count adds nothing. */
static void add(uint64_t *sum, const psp_json *value) {
  int64_t n;
  if (psp_json_int64(value, &n) && n > 0 && (uint64_t)n <= INT64_MAX - *sum) *sum += (uint64_t)n;
}

bool psp_untaken_add(psp_untaken *sum, const char *settings, const char *const *sources,
                     size_t count) {
  psp_json *json = NULL;
  if (settings == NULL) return true;
  psprobe_code code = psp_json_parse(settings, strlen(settings), "settings", &json, NULL);
  if (code == PSPROBE_RESOURCE_EXHAUSTED) return false;
  const psp_json *untaken = psp_json_get(json, "untaken");
  const psp_json *in_doubt = psp_json_get(untaken, "in_doubt");
  for (size_t i = 0; i < MEMBERS; i++)
    add(counter(&sum->connections, &members[i]), psp_json_get(untaken, members[i].key));
  for (size_t i = 0; i < count; i++)
    add(&sum->in_doubt[i], psp_json_get(in_doubt, sources[i]));
  psp_json_free(json);
  return true;
}
