/* SPDX-License-Identifier: MIT */
#include "stats/comparison.h"

#include <stdlib.h>

#include "base/text.h"
#include "stats/probes.h"

static bool make_room(psprobe_comparison *c) {
  const size_t n = c->source_count, pairs = c->pair_count;
  c->sources = calloc(n + 1, sizeof *c->sources);
  c->medians = calloc(n + 1, sizeof *c->medians);
  c->pairs = calloc(pairs + 1, sizeof *c->pairs);
  c->states = calloc(pairs + 1, sizeof *c->states);
  c->ranking = calloc(n + 1, sizeof *c->ranking);
  c->circle = calloc(n + 1, sizeof *c->circle);
  c->steps = calloc(n + 1, sizeof *c->steps);
  c->placed = calloc(n + 1, sizeof *c->placed);
  c->names = calloc(n + 1, sizeof *c->names);
  return c->sources != NULL && c->medians != NULL && c->pairs != NULL && c->states != NULL &&
         c->ranking != NULL && c->circle != NULL && c->steps != NULL && c->placed != NULL &&
         c->names != NULL;
}

psprobe_comparison *psp_comparison_alloc(const psprobe_probes *probes) {
  psprobe_comparison *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  const size_t n = probes->source_count;
  c->source_count = n;
  c->pair_count = n < 2 ? 0 : n * (n - 1) / 2;
  for (size_t i = 0; probes->unsent != NULL && i < probes->count; i++)
    c->unsent += probes->unsent[i];
  c->hedging = psp_probes_hedging(probes);
  bool enough = make_room(c);
  for (size_t s = 0; enough && s < n; s++) {
    c->names[s] = psp_strdup(probes->sources[s].name);
    c->sources[s].name = c->names[s];
    enough = c->names[s] != NULL;
  }
  if (enough) return c;
  psprobe_comparison_free(c);
  return NULL;
}

void psprobe_comparison_free(psprobe_comparison *c) {
  if (c == NULL) return;
  for (size_t s = 0; c->names != NULL && s < c->source_count; s++)
    free(c->names[s]);
  free(c->names);
  free(c->ranking);
  free(c->circle);
  free(c->steps);
  free(c->placed);
  free(c->states);
  free(c->pairs);
  free(c->medians);
  free(c->sources);
  free(c);
}

size_t psprobe_comparison_source_count(const psprobe_comparison *c) {
  return c->source_count;
}

const psprobe_source_summary *psprobe_comparison_source(const psprobe_comparison *c, size_t index) {
  return index < c->source_count ? &c->sources[index] : NULL;
}

size_t psprobe_comparison_unsent(const psprobe_comparison *c) {
  return c->unsent;
}

psprobe_hedging psprobe_comparison_hedging(const psprobe_comparison *c) {
  return c->hedging;
}

size_t psprobe_comparison_pair_count(const psprobe_comparison *c) {
  return c->pair_count;
}

const psprobe_pair *psprobe_comparison_pair(const psprobe_comparison *c, size_t index) {
  return index < c->pair_count ? &c->pairs[index] : NULL;
}

const psprobe_pair *psp_comparison_between(const psprobe_comparison *c, size_t first, size_t second,
                                           bool *flipped) {
  *flipped = first > second;
  const size_t a = *flipped ? second : first, b = *flipped ? first : second;
  /* Before row a stand (n - 1) + (n - 2) + … + (n - a) pairs. */
  return &c->pairs[a * (2 * c->source_count - a - 1) / 2 + (b - a - 1)];
}

bool psp_comparison_beats(const psprobe_comparison *c, size_t first, size_t second) {
  bool flipped;
  const psprobe_pair *pair = psp_comparison_between(c, first, second, &flipped);
  return pair->outcome == (flipped ? PSPROBE_B_FASTER : PSPROBE_A_FASTER);
}

bool psprobe_comparison_ranked(const psprobe_comparison *c) {
  return c->circle_count == 0;
}

psprobe_rank psprobe_comparison_rank(const psprobe_comparison *c, size_t index) {
  return c->ranking[index];
}
