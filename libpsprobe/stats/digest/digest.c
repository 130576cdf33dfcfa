/* SPDX-License-Identifier: MIT */
#include "stats/digest/digest.h"

#include <stdlib.h>
#include <string.h>

#include "stats/bins.h"
#include "stats/probes.h"

void psp_digest_free(psp_digest *digest) {
  free(digest->bins);
  *digest = (psp_digest){0};
}

size_t psp_digest_pair_at(size_t sources, size_t a, size_t b) {
  /* Before row a stand (n - 1) + (n - 2) + … + (n - a) pairs. */
  return a * (2 * sources - a - 1) / 2 + (b - a - 1);
}

void psp_digest_begin(psp_digest *digest, size_t sources) {
  psp_bin_count *bins = digest->bins;
  const size_t room = digest->bin_room;
  *digest = (psp_digest){.source_count = sources, .bins = bins, .bin_room = room};
}

bool psp_digest_reserve(psp_digest *digest, size_t more) {
  if (digest->bin_count + more <= digest->bin_room) return true;
  const size_t room = 2 * digest->bin_room + more;
  psp_bin_count *grown = realloc(digest->bins, room * sizeof *grown);
  if (grown == NULL) return false;
  digest->bins = grown;
  digest->bin_room = room;
  return true;
}

/* ---- making one ---- */

/* Values of one source or pair, as they come: the bins of warm ones and of cold ones. */
typedef struct gathering {
  int32_t *bins[2], *scratch;
  size_t count[2];
  psp_digest_values parts;
} gathering;

static void gather(gathering *g, int64_t ns, bool cold) {
  psp_digest_part *part = &g->parts[cold];
  const bool first = g->count[cold] == 0;
  if (first || ns < part->min_ns) part->min_ns = ns;
  if (first || ns > part->max_ns) part->max_ns = ns;
  g->bins[cold][g->count[cold]++] = psp_bin_of(ns);
}

/* Radix sort of two digits: bins have 17 bits and a sign. */
static void sort_bins(int32_t *bins, int32_t *scratch, size_t n) {
  enum { DIGIT = 9, DIGITS = 1 << DIGIT };
  for (int pass = 0; pass < 2; pass++) {
    size_t starts[DIGITS] = {0}, sum = 0;
    const int shift = pass * DIGIT;
    for (size_t i = 0; i < n; i++)
      starts[(uint32_t)(bins[i] + PSP_BIN_MOST) >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
      const size_t count = starts[d];
      starts[d] = sum;
      sum += count;
    }
    for (size_t i = 0; i < n; i++)
      scratch[starts[(uint32_t)(bins[i] + PSP_BIN_MOST) >> shift & (DIGITS - 1)]++] = bins[i];
    memcpy(bins, scratch, n * sizeof *bins);
  }
}

/* Sorted bins, each once with its count. */
static void count_bins(psp_digest *digest, const int32_t *bins, size_t n, psp_digest_part *part) {
  part->first = digest->bin_count;
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || bins[i] != bins[i - 1])
      digest->bins[digest->bin_count++] = (psp_bin_count){.bin = bins[i]};
    digest->bins[digest->bin_count - 1].count++;
  }
  part->count = digest->bin_count - part->first;
}

/* What was gathered, of which there is nothing then. */
static bool take_gathered(psp_digest *digest, gathering *g, psp_digest_values values) {
  if (!psp_digest_reserve(digest, g->count[0] + g->count[1])) return false;
  for (int part = 0; part < 2; part++) {
    sort_bins(g->bins[part], g->scratch, g->count[part]);
    values[part] = g->parts[part];
    count_bins(digest, g->bins[part], g->count[part], &values[part]);
    g->count[part] = 0;
    g->parts[part] = (psp_digest_part){0};
  }
  return true;
}

static void gather_source(const psprobe_probes *probes, size_t k, gathering *g,
                          psp_digest_source *source) {
  const psprobe_series *series = &probes->sources[k];
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    const psprobe_status status = psp_series_status(series, i);
    source->statuses[status]++;
    if (status <= PSPROBE_LATE && series->duplicates != NULL)
      source->duplicates += series->duplicates[i];
    if (psprobe_answer_came(status))
      gather(g, psp_series_elapsed(series, i), psp_series_cold(series, i));
  }
}

/* Who was interrupted has lost nothing, nor kept what the other lost. */
static void count_losses(psprobe_status a, psprobe_status b, psp_digest_pair *pair) {
  if (a > PSPROBE_LATE || b > PSPROBE_LATE) return;
  pair->both_lost += a == PSPROBE_LOST && b == PSPROBE_LOST;
  pair->only_a_lost += a == PSPROBE_LOST && b != PSPROBE_LOST;
  pair->only_b_lost += b == PSPROBE_LOST && a != PSPROBE_LOST;
}

static void gather_pair(const psprobe_probes *probes, size_t a, size_t b, gathering *g,
                        psp_digest_pair *pair) {
  const psprobe_series *first = &probes->sources[a], *second = &probes->sources[b];
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    const psprobe_status one = psp_series_status(first, i), other = psp_series_status(second, i);
    count_losses(one, other, pair);
    if (psprobe_answer_came(one) && psprobe_answer_came(other))
      gather(g, psp_series_elapsed(first, i) - psp_series_elapsed(second, i),
             psp_series_cold(first, i) || psp_series_cold(second, i));
  }
}

static bool gather_all(psp_digest *digest, const psprobe_probes *probes, gathering *g) {
  const size_t n = probes->source_count;
  bool enough = true;
  for (size_t k = 0; enough && k < n; k++) {
    gather_source(probes, k, g, &digest->sources[k]);
    enough = take_gathered(digest, g, digest->sources[k].answers);
  }
  for (size_t a = 0; a < n; a++)
    for (size_t b = a + 1; enough && b < n; b++) {
      psp_digest_pair *pair = &digest->pairs[psp_digest_pair_at(n, a, b)];
      gather_pair(probes, a, b, g, pair);
      enough = take_gathered(digest, g, pair->differences);
    }
  return enough;
}

static void note_times(psp_digest *digest, const psprobe_probes *probes) {
  for (size_t i = 0; i < probes->count; i++) {
    const int64_t sent = probes->sent_ns == NULL ? 0 : probes->sent_ns[i];
    if (i == 0 || sent < digest->first_ns) digest->first_ns = sent;
    if (i == 0 || sent > digest->last_ns) digest->last_ns = sent;
    digest->unsent += psp_probe_unsent(probes, i);
  }
}

/* ---- probes for pictures ---- */

static void draw(psp_digest *digest, size_t probe) {
  for (size_t i = 0; i < digest->drawn_count; i++)
    if (digest->drawn[i] == probe) return;
  if (digest->drawn_count < PSP_DIGEST_DRAWN)
    digest->drawn[digest->drawn_count++] = (uint32_t)probe;
}

/* The fastest answer of a source, the slowest, and the first that was lost. */
static void draw_extremes(psp_digest *digest, const psprobe_probes *probes, size_t k) {
  const psprobe_series *series = &probes->sources[k];
  size_t least = SIZE_MAX, most = SIZE_MAX, lost = SIZE_MAX;
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    const psprobe_status status = psp_series_status(series, i);
    if (status == PSPROBE_LOST && lost == SIZE_MAX) lost = i;
    if (!psprobe_answer_came(status)) continue;
    const int64_t ns = series->elapsed_ns[i];
    if (least == SIZE_MAX || ns < series->elapsed_ns[least]) least = i;
    if (most == SIZE_MAX || ns > series->elapsed_ns[most]) most = i;
  }
  if (least != SIZE_MAX) draw(digest, least);
  if (most != SIZE_MAX) draw(digest, most);
  if (lost != SIZE_MAX) draw(digest, lost);
}

static void choose_drawn(psp_digest *digest, const psprobe_probes *probes) {
  for (size_t i = 0; i < PSP_DIGEST_EVEN && probes->count > 0; i++)
    draw(digest, (2 * i + 1) * probes->count / (2 * PSP_DIGEST_EVEN));
  digest->even_count = digest->drawn_count;
  for (size_t k = 0; k < probes->source_count; k++)
    draw_extremes(digest, probes, k);
}

bool psp_digest_make(psp_digest *digest, const psprobe_probes *probes) {
  const size_t n = probes->count;
  psp_digest_begin(digest, probes->source_count);
  digest->probes = n;
  digest->hedging = psp_probes_hedging(probes);
  note_times(digest, probes);
  choose_drawn(digest, probes);
  int32_t *memory = malloc((3 * n + 1) * sizeof *memory);
  if (memory == NULL) return false;
  gathering g = {.bins = {memory, memory + n}, .scratch = memory + 2 * n};
  const bool enough = gather_all(digest, probes, &g);
  free(memory);
  return enough;
}
