/* SPDX-License-Identifier: MIT */
#include "stats/digest/scoring.h"

#include <stdlib.h>

#include "base/error.h"
#include "stats/bins.h"

psp_scoring *psp_scoring_add(psp_scorings *scorings, const psp_totals *totals, size_t value,
                             psp_value_kind kind) {
  psp_scoring *grown = realloc(scorings->items, (scorings->count + 1) * sizeof *grown);
  const psp_spread *of = &totals->values[value].kinds[kind];
  scorings->failed |= grown == NULL;
  if (grown == NULL) return NULL;
  scorings->items = grown;
  psp_scoring *made = &grown[scorings->count];
  *made = (psp_scoring){.value = value, .kind = kind, .of = of, .n = (double)of->n};
  made->scores = calloc(of->width + 1, sizeof *made->scores);
  made->blocks = calloc(totals->blocks + 1, sizeof *made->blocks);
  if (made->scores == NULL || made->blocks == NULL) {
    free(made->scores);
    free(made->blocks);
    scorings->failed = true;
    return NULL;
  }
  scorings->count++;
  return made;
}

void psp_scorings_free(psp_scorings *scorings) {
  for (size_t i = 0; i < scorings->count; i++) {
    free(scorings->items[i].scores);
    free(scorings->items[i].blocks);
  }
  free(scorings->items);
  *scorings = (psp_scorings){0};
}

void psp_scoring_signs(psp_scoring *scoring, int64_t about) {
  const int64_t bin = (int64_t)psp_bin_of(about) - scoring->of->low;
  for (size_t i = 0; i < scoring->of->width; i++)
    scoring->scores[i] = (float)(((int64_t)i > bin) - ((int64_t)i < bin));
}

/* Scores about their mean, so that what digests sum up to is about 0. */
static void centre(psp_scoring *scoring) {
  double sum = 0, squares = 0;
  if (scoring->of->n == 0) return;
  for (size_t i = 0; i < scoring->of->width; i++)
    sum += (double)scoring->scores[i] * (double)psp_spread_in(scoring->of, i);
  const float mean = (float)(sum / scoring->n);
  for (size_t i = 0; i < scoring->of->width; i++) {
    scoring->scores[i] -= mean;
    squares += (double)scoring->scores[i] * (double)scoring->scores[i] *
               (double)psp_spread_in(scoring->of, i);
  }
  scoring->variance = squares / scoring->n;
}

typedef struct going_over {
  psp_scorings *scorings;
  const psp_totals *totals;
  uint64_t before;
  size_t block;
} going_over;

static double sum_up(const psp_scoring *scoring, const psp_digest *digest,
                     const psp_digest_part *part, bool turned) {
  double sum = 0;
  for (size_t i = part->first; i < part->first + part->count; i++) {
    const psp_bin_count at = digest->bins[i];
    const size_t bin = (size_t)((turned ? -at.bin : at.bin) - scoring->of->low);
    if (bin < scoring->of->width) sum += (double)scoring->scores[bin] * at.count;
  }
  return sum;
}

static bool score_digest(void *arg, const psp_digest *digest) {
  going_over *over = arg;
  for (size_t s = 0; s < over->scorings->count; s++) {
    psp_scoring *scoring = &over->scorings->items[s];
    const psp_digest_part *parts[2];
    bool turned;
    const size_t count = psp_totals_parts(over->totals, digest, over->before, scoring->value,
                                          scoring->kind, parts, &turned);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
      sum += sum_up(scoring, digest, parts[i], turned);
    scoring->blocks[over->block] = (float)sum;
  }
  over->before += digest->probes;
  over->block++;
  return over->block < over->totals->blocks;
}

psprobe_code psp_scorings_run(psp_scorings *scorings, const psp_totals *totals,
                              psprobe_error *error) {
  going_over over = {.scorings = scorings, .totals = totals};
  if (scorings->failed) return psp_fail_memory(error, "summary");
  for (size_t s = 0; s < scorings->count; s++)
    centre(&scorings->items[s]);
  if (totals->blocks == 0) return PSPROBE_OK;
  return totals->digests->walk(totals->digests->from, score_digest, &over, error);
}

void psp_scoring_join(psp_scoring *scoring, const psp_scoring *other, size_t blocks) {
  const double n = scoring->n + other->n;
  for (size_t b = 0; b < blocks; b++)
    scoring->blocks[b] += other->blocks[b];
  if (n > 0) scoring->variance = (scoring->variance * scoring->n + other->variance * other->n) / n;
  scoring->n = n;
}

psp_serial psp_scoring_serial(psp_scoring *scoring, size_t blocks) {
  return psp_serial_of_blocks(scoring->blocks, blocks, scoring->n * scoring->variance);
}
