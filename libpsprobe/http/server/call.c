/* SPDX-License-Identifier: MIT */
/** @file A whole request to its handler, or told why it has none. */
#include <string.h>

#include "http/server/intake.h"

static void refuse(psp_exchange *x) {
  switch (x->found) {
    case PSP_OTHER_METHODS:
      psp_exchange_set_header(x, "Allow", x->match.allow);
      if (strcmp(x->method, "OPTIONS") == 0)
        psp_exchange_reply(x, 204, NULL, NULL, 0);
      else
        psp_exchange_reply_error(x, 405, PSPROBE_UNIMPLEMENTED,
                                 "this path does not take this method");
      return;
    case PSP_BAD_PATH:
      psp_exchange_reply_error(x, 400, PSPROBE_INVALID_ARGUMENT,
                               "the path has a broken percent-escape");
      return;
    case PSP_NO_MEMORY:
      psp_exchange_reply_error(x, 503, PSPROBE_UNAVAILABLE, "out of memory");
      return;
    default:
      psp_exchange_reply_error(x, 404, PSPROBE_NOT_FOUND, "there is nothing at this path");
  }
}

void psp_exchange_call(psp_exchange *x) {
  if (!psp_intake_end(x))
    psp_exchange_reply_error(x, 400, PSPROBE_INVALID_ARGUMENT, "the body's gzip ends too soon");
  else if (x->found == PSP_FOUND)
    x->match.route->handler(x->match.route->arg, x);
  else
    refuse(x);
}
