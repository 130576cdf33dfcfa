/* SPDX-License-Identifier: MIT */
#include "os/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include <psprobe/answer.h>

#include "base/error.h"

bool psp_random(void *out, size_t len) {
  unsigned char *at = out;
  while (len > 0) {
    ssize_t got = getrandom(at, len, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    len -= (size_t)got;
  }
  return true;
}

bool psp_id_new(char out[PSP_ID_SIZE]) {
  uint64_t id[2];
  if (!psp_random(id, sizeof id)) {
    out[0] = '\0';
    return false;
  }
  psp_id_format(out, id);
  return true;
}

psprobe_code psprobe_id_make(char id[PSPROBE_ID_SIZE], psprobe_error *error) {
  if (!psp_id_new(id))
    return psp_fail(error, PSPROBE_INTERNAL, "probe id: the kernel gave no random numbers");
  return PSPROBE_OK;
}
