/* SPDX-License-Identifier: MIT */
/** @file Sets of public keys. */
#include <string.h>

#include "auth/verify/jwks.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_jwks *keys = NULL;
  if (psp_jwks_parse((const char *)data, size, &keys, NULL) != PSPROBE_OK) {
    FUZZ_ASSERT(keys == NULL);
    return 0;
  }
  FUZZ_ASSERT(psp_jwks_count(keys) > 0);
  FUZZ_ASSERT(psp_jwks_verify(keys, "k", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 29, 256, true) !=
              PSP_SIGNATURE_GOOD);
  psp_jwks_unref(keys);
  return 0;
}
