/* SPDX-License-Identifier: MIT */
#include "auth/verify/keystore.h"

#include "auth/token_cache.h"
#include "os/clock.h"

psp_jwks *psp_keystore_keys(const psp_keystore *store, int64_t now_ns) {
  return store->keys != NULL && now_ns < store->fetched_ns + PSP_KEYSTORE_LIFE_NS ? store->keys
                                                                                  : NULL;
}

int64_t psp_keystore_due_ns(const psp_keystore *store) {
  int64_t due = 0;
  if (store->keys != NULL)
    due = store->fresh_until_ns - (store->fresh_until_ns - store->fetched_ns) / 10;
  return due > store->retry_ns ? due : store->retry_ns;
}

bool psp_keystore_may_ask(psp_keystore *store, int64_t now_ns) {
  if (store->asked && now_ns < store->unknown_ns + PSP_KEYSTORE_UNKNOWN_NS) return false;
  store->asked = true;
  store->unknown_ns = now_ns;
  return true;
}

void psp_keystore_put(psp_keystore *store, psp_jwks *keys, int64_t asked_ns, int64_t fresh_s) {
  psp_jwks_unref(store->keys);
  store->keys = keys;
  store->fetched_ns = asked_ns;
  store->fresh_until_ns = asked_ns + fresh_s * PSP_SECOND_NS;
  store->retry_ns = 0;
  store->failures = 0;
}

void psp_keystore_fail(psp_keystore *store, int64_t now_ns, uint64_t random) {
  store->failures++;
  store->retry_ns = psp_token_retry_at(now_ns, store->failures, random);
}

void psp_keystore_clear(psp_keystore *store) {
  psp_jwks_unref(store->keys);
  *store = (psp_keystore){0};
}
