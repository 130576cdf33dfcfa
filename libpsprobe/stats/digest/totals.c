/* SPDX-License-Identifier: MIT */
#include "stats/digest/totals.h"

#include <stdlib.h>

#include "base/error.h"

/* ---- the first time: what there is ---- */

/* The values of a digest that are a source's, or a pair's; *turned: with a minus. */
static const psp_digest_part *parts_of(const psp_digests *digests, const psp_digest *digest,
                                       size_t value, bool *turned) {
  *turned = false;
  if (value < digests->source_count) return digest->sources[digests->which[value]].answers;
  size_t a = 0, rest = value - digests->source_count;
  for (; rest >= digests->source_count - 1 - a; a++)
    rest -= digests->source_count - 1 - a;
  const size_t first = digests->which[a], second = digests->which[a + 1 + rest];
  *turned = first > second;
  return digest
      ->pairs[*turned ? psp_digest_pair_at(digest->source_count, second, first)
                      : psp_digest_pair_at(digest->source_count, first, second)]
      .differences;
}

static bool add_part(psp_spread *spread, const psp_digest *digest, const psp_digest_part *part,
                     bool turned) {
  if (part->count == 0) return true;
  const int64_t min = turned ? -part->max_ns : part->min_ns;
  const int64_t max = turned ? -part->min_ns : part->max_ns;
  const bool first = spread->n == 0;
  if (!psp_spread_add(spread, digest->bins + part->first, part->count, turned)) return false;
  if (first || min < spread->min_ns) spread->min_ns = min;
  if (first || max > spread->max_ns) spread->max_ns = max;
  return true;
}

static void add_counts(psp_totals *totals, const psp_digest *digest) {
  const psp_digests *digests = totals->digests;
  size_t p = 0;
  for (size_t a = 0; a < digests->source_count; a++) {
    const size_t first = digests->which[a];
    for (size_t s = 0; s < PSP_DIGEST_STATUSES; s++)
      totals->sources[a].statuses[s] += digest->sources[first].statuses[s];
    totals->sources[a].duplicates += digest->sources[first].duplicates;
    for (size_t b = a + 1; b < digests->source_count; b++, p++) {
      const size_t second = digests->which[b];
      const bool turned = first > second;
      const psp_digest_pair *pair = &digest->pairs[psp_digest_pair_at(
          digest->source_count, turned ? second : first, turned ? first : second)];
      totals->pairs[p].both_lost += pair->both_lost;
      totals->pairs[p].only_a_lost += turned ? pair->only_b_lost : pair->only_a_lost;
      totals->pairs[p].only_b_lost += turned ? pair->only_a_lost : pair->only_b_lost;
    }
  }
}

static size_t values_of(const psp_totals *totals) {
  return totals->digests->source_count + totals->pair_count;
}

/* The half that the next digest belongs to. */
static bool in_second_half(const psp_totals *totals, uint64_t before) {
  return 2 * before >= totals->digests->expected;
}

static bool add_digest(void *arg, const psp_digest *digest) {
  psp_totals *totals = arg;
  const bool half = in_second_half(totals, totals->probes), first = totals->probes == 0;
  for (size_t v = 0; v < values_of(totals); v++) {
    bool turned;
    const psp_digest_part *parts = parts_of(totals->digests, digest, v, &turned);
    for (int cold = 0; cold < 2; cold++)
      if (!add_part(&totals->values[v].cells[half][cold], digest, &parts[cold], turned))
        totals->failed = true;
  }
  add_counts(totals, digest);
  if (digest->probes > 0) {
    if (first || digest->first_ns < totals->first_ns) totals->first_ns = digest->first_ns;
    if (first || digest->last_ns > totals->last_ns) totals->last_ns = digest->last_ns;
  }
  totals->probes += digest->probes;
  totals->unsent += digest->unsent;
  totals->hedging.timed += digest->hedging.timed;
  totals->hedging.slow += digest->hedging.slow;
  totals->blocks++;
  return !totals->failed;
}

/* Of what has come, all that is asked for; the rest goes. */
static bool settle(psp_total *total) {
  static const struct {
    psp_value_kind kind;
    bool half, cold;
  } from[] = {{PSP_KIND_WARM, 0, 0},   {PSP_KIND_WARM, 1, 0},  {PSP_KIND_COLD, 0, 1},
              {PSP_KIND_COLD, 1, 1},   {PSP_KIND_FIRST, 0, 0}, {PSP_KIND_FIRST, 0, 1},
              {PSP_KIND_SECOND, 1, 0}, {PSP_KIND_SECOND, 1, 1}};
  bool enough = true;
  for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
    const psp_spread *cell = &total->cells[from[i].half][from[i].cold];
    enough = enough && psp_spread_merge(&total->kinds[from[i].kind], cell);
  }
  enough = enough && psp_spread_merge(&total->kinds[PSP_KIND_ALL], &total->kinds[PSP_KIND_WARM]) &&
           psp_spread_merge(&total->kinds[PSP_KIND_ALL], &total->kinds[PSP_KIND_COLD]);
  for (int i = 0; i < 4; i++)
    psp_spread_free(&total->cells[i / 2][i % 2]);
  for (size_t k = 0; k < PSP_KINDS; k++)
    psp_spread_settle(&total->kinds[k]);
  return enough;
}

psprobe_code psp_totals_make(psp_totals *totals, const psp_digests *digests, psprobe_error *error) {
  const size_t n = digests->source_count;
  *totals = (psp_totals){.digests = digests, .pair_count = n < 2 ? 0 : n * (n - 1) / 2};
  totals->values = calloc(values_of(totals) + 1, sizeof *totals->values);
  if (totals->values == NULL) return psp_fail_memory(error, "summary");
  const psprobe_code code = digests->walk(digests->from, add_digest, totals, error);
  bool enough = !totals->failed;
  for (size_t v = 0; v < values_of(totals); v++)
    enough = settle(&totals->values[v]) && enough;
  return code == PSPROBE_OK && !enough ? psp_fail_memory(error, "summary") : code;
}

void psp_totals_free(psp_totals *totals) {
  for (size_t v = 0; totals->values != NULL && v < values_of(totals); v++) {
    for (int i = 0; i < 4; i++)
      psp_spread_free(&totals->values[v].cells[i / 2][i % 2]);
    for (size_t k = 0; k < PSP_KINDS; k++)
      psp_spread_free(&totals->values[v].kinds[k]);
  }
  free(totals->values);
  totals->values = NULL;
}

size_t psp_totals_parts(const psp_totals *totals, const psp_digest *digest, uint64_t before,
                        size_t value, psp_value_kind kind, const psp_digest_part *parts[2],
                        bool *turned) {
  const psp_digest_part *both = parts_of(totals->digests, digest, value, turned);
  const bool second = in_second_half(totals, before);
  size_t count = 0;
  if ((kind == PSP_KIND_FIRST && second) || (kind == PSP_KIND_SECOND && !second)) return 0;
  if (kind != PSP_KIND_COLD) parts[count++] = &both[0];
  if (kind != PSP_KIND_WARM) parts[count++] = &both[1];
  return count;
}
