/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_TOKEN_CACHE_H
#define PSP_AUTH_TOKEN_CACHE_H
/**
 * @file
 * A token where many threads read it and one writes it, and when it is to be fetched again. Time is
 * an argument: ns of a clock that counts time asleep.
 *
 * Readers take no lock and write nothing that others read: they copy the text and look whether it
 * changed under their hands (a sequence lock). So a refresh stalls nobody, and two threads that
 * read do not slow each other down.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How long before its end a token is fetched anew. Not earlier: Google's metadata server repeats
 * the same token until about four minutes before its end. */
#define PSP_TOKEN_REFRESH_NS INT64_C(225000000000)

/* ---- when: pure ---- */

/** When a token ends, and when to fetch the next one. */
typedef struct psp_token_times {
  int64_t expires_ns, refresh_ns;
} psp_token_times;

/**
 * @param asked_ns when it was asked for: the life counts from before the question
 * A life below PSP_TOKEN_REFRESH_NS is used to its end, with the next fetch at half of it.
 */
psp_token_times psp_token_schedule(int64_t asked_ns, int64_t life_s);

/** When to try again after `failures` (from 1) in a row: 1 s, doubling, at most 30 s, less up to a
 * half by chance. */
int64_t psp_token_retry_at(int64_t now_ns, unsigned failures, uint64_t random);

/* ---- the token ---- */

typedef struct psp_token_block psp_token_block;

/** Valid when zeroed. One writer at a time. */
typedef struct psp_token_cache {
  atomic_uint_fast64_t sequence; /* odd: being written */
  _Atomic(psp_token_block *) block;
  atomic_uint_fast64_t generation;
  atomic_int_fast64_t expires_ns, refresh_ns;
  atomic_size_t len;
  psp_token_block *retired; /* smaller ones, which a reader may still look at: kept to the end */
} psp_token_cache;

/**
 * Copies the token, zero-terminated, unless it has ended at `now_ns`.
 * @param refresh receives whether it is time to fetch the next one
 * @return its length; 0: none, or it has ended. When it is not less than `size`, nothing was copied
 */
size_t psp_token_cache_read(const psp_token_cache *cache, int64_t now_ns, char *out, size_t size,
                            uint64_t *generation, bool *refresh);
/** Puts in a token. False: no memory, and the old one is still there. */
bool psp_token_cache_write(psp_token_cache *cache, const char *text, size_t len,
                           psp_token_times times);
/** Drops the token if it is still that of `generation`. True: it was. */
bool psp_token_cache_drop(psp_token_cache *cache, uint64_t generation);
/** Wipes and frees what it holds, when nobody reads any more. */
void psp_token_cache_clear(psp_token_cache *cache);

#endif
