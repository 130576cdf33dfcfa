/* SPDX-License-Identifier: MIT */
#include "auth/token_cache.h"

#include <sched.h>
#include <string.h>

#include "os/clock.h"
#include "os/secret.h"

psp_token_times psp_token_schedule(int64_t asked_ns, int64_t life_s) {
  int64_t life_ns = life_s * PSP_SECOND_NS;
  psp_token_times times = {.expires_ns = asked_ns + life_ns};
  if (life_ns > PSP_TOKEN_REFRESH_NS)
    times.refresh_ns = times.expires_ns - PSP_TOKEN_REFRESH_NS;
  else if (life_ns > 2 * PSP_SECOND_NS)
    times.refresh_ns = asked_ns + life_ns / 2;
  else
    times.refresh_ns = times.expires_ns; /* halving on would be a loop without a pause */
  return times;
}

int64_t psp_token_retry_at(int64_t now_ns, unsigned failures, uint64_t random) {
  int64_t wait =
      failures > 5 ? 30 * PSP_SECOND_NS : PSP_SECOND_NS << (failures > 0 ? failures - 1 : 0);
  if (wait > 30 * PSP_SECOND_NS) wait = 30 * PSP_SECOND_NS;
  return now_ns + wait - (int64_t)(random % (uint64_t)(wait / 2 + 1));
}

/* The text in words that are read and written atomically, each by itself: C knows no other way to
 * read what may be written at the same time. */
struct psp_token_block {
  psp_token_block *next; /* of the retired ones */
  size_t bytes;          /* of the block's pages */
  size_t words;
  atomic_uint_fast64_t text[];
};

static psp_token_block *new_block(size_t len) {
  size_t words = len / 8 + 1;
  size_t bytes = (sizeof(psp_token_block) + words * 8 + 4095) / 4096 * 4096;
  psp_token_block *block = psp_secret_pages(bytes);
  if (block == NULL) return NULL;
  block->bytes = bytes;
  block->words = (bytes - sizeof *block) / 8;
  return block;
}

/*
 * Order: a reader that sees a word of a new text (acquire; the writer stores them with release)
 * also sees the odd sequence that was stored before it, so the second look at the sequence tells.
 */
static bool copy_out(const psp_token_cache *cache, psp_token_block *block, uint64_t sequence,
                     size_t len, char *out) {
  size_t words = len / 8;
  for (size_t i = 0; i < words; i++) {
    uint64_t word = atomic_load_explicit(&block->text[i], memory_order_acquire);
    memcpy(out + 8 * i, &word, 8);
  }
  uint64_t last = atomic_load_explicit(&block->text[words], memory_order_acquire);
  memcpy(out + 8 * words, &last, len % 8);
  out[len] = 0;
  return atomic_load_explicit(&cache->sequence, memory_order_relaxed) == sequence;
}

size_t psp_token_cache_read(const psp_token_cache *cache, int64_t now_ns, char *out, size_t size,
                            uint64_t *generation, bool *refresh) {
  for (unsigned tries = 1;; tries++) {
    /* A writer is at it for some hundred ns, once an hour; but it may lose its processor then. */
    if (tries % 256 == 0) sched_yield();
    uint64_t sequence = atomic_load_explicit(&cache->sequence, memory_order_acquire);
    if (sequence % 2 != 0) continue;
    psp_token_block *block = atomic_load_explicit(&cache->block, memory_order_acquire);
    size_t len = atomic_load_explicit(&cache->len, memory_order_acquire);
    int64_t expires_ns = atomic_load_explicit(&cache->expires_ns, memory_order_acquire);
    int64_t refresh_ns = atomic_load_explicit(&cache->refresh_ns, memory_order_acquire);
    *generation = atomic_load_explicit(&cache->generation, memory_order_acquire);
    bool none = len == 0 || now_ns >= expires_ns;
    /* What was read in the middle of a writing may not fit together: then nothing is copied. */
    bool fits = len < size && block != NULL && len / 8 < block->words;
    bool same = none || !fits
                    ? atomic_load_explicit(&cache->sequence, memory_order_relaxed) == sequence
                    : copy_out(cache, block, sequence, len, out);
    if (!same) continue;
    *refresh = none || now_ns >= refresh_ns;
    return none ? 0 : len;
  }
}

static void begin_write(psp_token_cache *cache) {
  atomic_fetch_add_explicit(&cache->sequence, 1, memory_order_relaxed);
}

static void end_write(psp_token_cache *cache) {
  atomic_fetch_add_explicit(&cache->sequence, 1, memory_order_release);
}

bool psp_token_cache_write(psp_token_cache *cache, const char *text, size_t len,
                           psp_token_times times) {
  psp_token_block *block = atomic_load_explicit(&cache->block, memory_order_relaxed);
  psp_token_block *larger = NULL;
  if (block == NULL || len / 8 >= block->words) {
    larger = new_block(len);
    if (larger == NULL) return false;
  }
  begin_write(cache);
  if (larger != NULL) {
    if (block != NULL) {
      /* Wiped, but not given back: a reader may have its address in hand. */
      for (size_t i = 0; i < block->words; i++)
        atomic_store_explicit(&block->text[i], 0, memory_order_release);
      block->next = cache->retired;
      cache->retired = block;
    }
    block = larger;
    atomic_store_explicit(&cache->block, block, memory_order_release);
  }
  for (size_t i = 0; i < block->words; i++) {
    uint64_t word = 0;
    size_t at = 8 * i;
    if (at < len) memcpy(&word, text + at, len - at < 8 ? len - at : 8);
    /* What an older, longer text left behind is wiped on the way. */
    if (at < len || atomic_load_explicit(&block->text[i], memory_order_relaxed) != 0)
      atomic_store_explicit(&block->text[i], word, memory_order_release);
  }
  atomic_store_explicit(&cache->len, len, memory_order_release);
  atomic_store_explicit(&cache->expires_ns, times.expires_ns, memory_order_release);
  atomic_store_explicit(&cache->refresh_ns, times.refresh_ns, memory_order_release);
  atomic_fetch_add_explicit(&cache->generation, 1, memory_order_release);
  end_write(cache);
  return true;
}

bool psp_token_cache_drop(psp_token_cache *cache, uint64_t generation) {
  bool current = atomic_load_explicit(&cache->generation, memory_order_relaxed) == generation &&
                 atomic_load_explicit(&cache->len, memory_order_relaxed) > 0;
  if (!current) return false;
  begin_write(cache);
  atomic_store_explicit(&cache->len, 0, memory_order_release);
  end_write(cache);
  return true;
}

void psp_token_cache_clear(psp_token_cache *cache) {
  psp_token_block *block = atomic_load(&cache->block);
  if (block != NULL) psp_secret_pages_free(block, block->bytes);
  while (cache->retired != NULL) {
    psp_token_block *next = cache->retired->next;
    psp_secret_pages_free(cache->retired, cache->retired->bytes);
    cache->retired = next;
  }
  atomic_store(&cache->block, NULL);
  atomic_store(&cache->len, 0);
}
