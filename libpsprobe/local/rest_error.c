/* SPDX-License-Identifier: MIT */
#include "local/rest.h"

#include "base/json.h"

int psp_rest_status(psprobe_code code) {
  static const short statuses[] = {[PSPROBE_OK] = 200,
                                   [PSPROBE_CANCELLED] = 499,
                                   [PSPROBE_UNKNOWN] = 500,
                                   [PSPROBE_INVALID_ARGUMENT] = 400,
                                   [PSPROBE_DEADLINE_EXCEEDED] = 504,
                                   [PSPROBE_NOT_FOUND] = 404,
                                   [PSPROBE_ALREADY_EXISTS] = 409,
                                   [PSPROBE_PERMISSION_DENIED] = 403,
                                   [PSPROBE_RESOURCE_EXHAUSTED] = 429,
                                   [PSPROBE_FAILED_PRECONDITION] = 400,
                                   [PSPROBE_ABORTED] = 409,
                                   [PSPROBE_OUT_OF_RANGE] = 400,
                                   [PSPROBE_UNIMPLEMENTED] = 501,
                                   [PSPROBE_INTERNAL] = 500,
                                   [PSPROBE_UNAVAILABLE] = 503,
                                   [PSPROBE_DATA_LOSS] = 500,
                                   [PSPROBE_UNAUTHENTICATED] = 401};
  size_t at = (size_t)code;
  return at < sizeof statuses / sizeof *statuses ? statuses[at] : 500;
}

void psp_rest_error_encode(psp_buf *out, psprobe_code code, const char *message) {
  psp_json_writer w = {.buf = out, .escape_slash = true};
  psp_json_put_error(&w, psp_rest_status(code), code, message);
}
