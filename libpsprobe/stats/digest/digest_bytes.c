/* SPDX-License-Identifier: MIT */
/** @file A digest as bytes, for a results file: numbers of seven bits a byte, low ones first. */
#include <stdlib.h>

#include "stats/bins.h"
#include "stats/digest/digest.h"
#include "stats/sample.h"

/* Of what follows: whoever changes it makes the next. Form 1 told nothing of publish calls. */
#define FORM 2

static void put_count(psp_buf *out, uint64_t value) {
  char bytes[10];
  size_t len = 0;
  for (; value >= 0x80; value >>= 7)
    bytes[len++] = (char)(value | 0x80);
  bytes[len++] = (char)value;
  psp_buf_add(out, bytes, len);
}

/* 0, -1, 1, -2, … as 0, 1, 2, 3, … */
static void put_int(psp_buf *out, int64_t value) {
  put_count(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_values(psp_buf *out, const psp_digest *digest, const psp_digest_values values) {
  for (int k = 0; k < 2; k++) {
    const psp_digest_part *part = &values[k];
    put_count(out, part->count);
    if (part->count == 0) continue;
    const psp_bin_count *at = digest->bins + part->first;
    put_int(out, part->min_ns);
    put_int(out, part->max_ns);
    for (size_t i = 0; i < part->count; i++) {
      put_int(out, (int64_t)at[i].bin - (i > 0 ? at[i - 1].bin : 0));
      put_count(out, at[i].count);
    }
  }
}

static size_t pairs_of(const psp_digest *digest) {
  const size_t n = digest->source_count;
  return n < 2 ? 0 : n * (n - 1) / 2;
}

void psp_digest_put(psp_buf *out, const psp_digest *digest) {
  put_count(out, FORM);
  put_count(out, digest->source_count);
  put_count(out, digest->probes);
  put_count(out, digest->unsent);
  put_count(out, digest->hedging.timed);
  put_count(out, digest->hedging.slow);
  put_int(out, digest->first_ns);
  put_int(out, digest->last_ns);
  put_count(out, digest->even_count);
  put_count(out, digest->drawn_count);
  for (size_t i = 0; i < digest->drawn_count; i++)
    put_count(out, digest->drawn[i]);
  for (size_t k = 0; k < digest->source_count; k++) {
    const psp_digest_source *source = &digest->sources[k];
    for (size_t s = 0; s < PSP_DIGEST_STATUSES; s++)
      put_count(out, source->statuses[s]);
    put_count(out, source->duplicates);
    put_values(out, digest, source->answers);
  }
  for (size_t p = 0; p < pairs_of(digest); p++) {
    const psp_digest_pair *pair = &digest->pairs[p];
    put_count(out, pair->both_lost);
    put_count(out, pair->only_a_lost);
    put_count(out, pair->only_b_lost);
    put_values(out, digest, pair->differences);
  }
}

/* Bytes that are read; once they make no sense, all is 0. */
typedef struct reader {
  const unsigned char *at, *end;
  bool failed;
} reader;

static uint64_t get_count(reader *r) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
    const unsigned char byte = *r->at++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  r->failed = true;
  return 0;
}

static int64_t get_int(reader *r) {
  const uint64_t value = get_count(r);
  return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static bool get_bins(reader *r, psp_digest *digest, uint64_t count) {
  int64_t bin = 0;
  uint64_t all = 0;
  for (uint64_t i = 0; i < count; i++) {
    const int64_t step = get_int(r);
    const uint64_t values = get_count(r);
    if (step > 2 * PSP_BIN_MOST || step < -PSP_BIN_MOST || (i > 0 && step < 1)) return false;
    bin += step;
    if (bin > PSP_BIN_MOST || values < 1 || values > digest->probes - all) return false;
    all += values;
    digest->bins[digest->bin_count++] = (psp_bin_count){(int32_t)bin, (uint32_t)values};
  }
  return !r->failed;
}

/* Whether a part's extremes lie in the first and the last of its bins, which durations can. */
static bool has_extremes(const psp_digest *digest, const psp_digest_part *part) {
  const psp_bin_count *bins = digest->bins + part->first;
  return part->min_ns <= part->max_ns && part->min_ns >= -2 * PSP_MOST_NS &&
         part->max_ns <= 2 * PSP_MOST_NS && psp_bin_of(part->min_ns) == bins[0].bin &&
         psp_bin_of(part->max_ns) == bins[part->count - 1].bin;
}

static bool get_values(reader *r, psp_digest *digest, psp_digest_values values) {
  for (int k = 0; k < 2; k++) {
    const uint64_t count = get_count(r);
    if (r->failed || count > (uint64_t)(r->end - r->at)) return false; /* a bin has two bytes */
    if (!psp_digest_reserve(digest, (size_t)count)) return false;
    values[k] = (psp_digest_part){.first = digest->bin_count, .count = (size_t)count};
    if (count == 0) continue;
    values[k].min_ns = get_int(r);
    values[k].max_ns = get_int(r);
    if (!get_bins(r, digest, count) || !has_extremes(digest, &values[k])) return false;
  }
  return true;
}

static bool get_drawn(reader *r, psp_digest *digest) {
  const uint64_t even = get_count(r), count = get_count(r);
  if (count > PSP_DIGEST_DRAWN || even > count) return false;
  digest->even_count = (size_t)even;
  digest->drawn_count = (size_t)count;
  for (size_t i = 0; i < digest->drawn_count; i++) {
    const uint64_t probe = get_count(r);
    if (probe > UINT32_MAX) return false;
    digest->drawn[i] = (uint32_t)probe;
  }
  return !r->failed;
}

static bool get_hedging(reader *r, psp_digest *digest) {
  digest->hedging.timed = get_count(r);
  digest->hedging.slow = get_count(r);
  return digest->hedging.slow <= digest->hedging.timed && digest->hedging.timed <= digest->probes;
}

static bool get_head(reader *r, psp_digest *digest) {
  const uint64_t form = get_count(r), sources = get_count(r);
  if (r->failed || form < 1 || form > FORM || sources > PSP_DIGEST_SOURCES) return false;
  psp_digest_begin(digest, (size_t)sources);
  digest->probes = get_count(r);
  digest->unsent = get_count(r);
  if (form > 1 && !get_hedging(r, digest)) return false;
  digest->first_ns = get_int(r);
  digest->last_ns = get_int(r);
  return digest->probes <= UINT32_MAX && digest->unsent <= digest->probes &&
         digest->first_ns <= digest->last_ns && get_drawn(r, digest);
}

static uint64_t count_values(const psp_digest *digest, const psp_digest_values values) {
  uint64_t all = 0;
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < values[k].count; i++)
      all += digest->bins[values[k].first + i].count;
  return all;
}

/* Adds to what the digest's probes are counted as. False: more than there are. */
static bool count_in(const psp_digest *digest, uint64_t *all, uint64_t more) {
  if (more > digest->probes - *all) return false;
  *all += more;
  return true;
}

/* A source that was sent all that was. */
static bool get_source(reader *r, psp_digest *digest, psp_digest_source *source) {
  uint64_t all = digest->unsent;
  for (size_t s = 0; s < PSP_DIGEST_STATUSES; s++) {
    source->statuses[s] = get_count(r);
    if (!count_in(digest, &all, source->statuses[s])) return false;
  }
  source->duplicates = get_count(r);
  return source->duplicates <= digest->probes * UINT32_MAX &&
         get_values(r, digest, source->answers) &&
         count_values(digest, source->answers) ==
             source->statuses[PSPROBE_ANSWERED] + source->statuses[PSPROBE_LATE];
}

static bool get_pair(reader *r, psp_digest *digest, psp_digest_pair *pair) {
  uint64_t all = digest->unsent;
  pair->both_lost = get_count(r);
  pair->only_a_lost = get_count(r);
  pair->only_b_lost = get_count(r);
  return count_in(digest, &all, pair->both_lost) && count_in(digest, &all, pair->only_a_lost) &&
         count_in(digest, &all, pair->only_b_lost) && get_values(r, digest, pair->differences) &&
         count_in(digest, &all, count_values(digest, pair->differences));
}

bool psp_digest_read(psp_digest *digest, const void *data, size_t len) {
  reader r = {.at = data, .end = (const unsigned char *)data + len};
  bool good = data != NULL && get_head(&r, digest);
  for (size_t k = 0; good && k < digest->source_count; k++)
    good = get_source(&r, digest, &digest->sources[k]);
  for (size_t p = 0; good && p < pairs_of(digest); p++)
    good = get_pair(&r, digest, &digest->pairs[p]);
  return good && !r.failed && r.at == r.end;
}
