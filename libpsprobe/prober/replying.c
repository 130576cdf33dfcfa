/* SPDX-License-Identifier: MIT */
#include "prober/replying.h"

#include <inttypes.h>
#include <stdio.h>

static void put_stamp(psp_exchange *exchange, const char *name, int64_t wall_ns) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, wall_ns);
  psp_exchange_set_header(exchange, name, text);
}

void psp_reply_taken(const psprobe_prober *prober, psp_exchange *exchange, bool stamped) {
  if (!stamped) {
    psp_exchange_reply_shared(exchange, prober->ok);
    return;
  }
  int64_t offset = prober->wall_offset_ns;
  put_stamp(exchange, PSPROBE_HEADER_RECEIVED, psp_exchange_received_ns(exchange) + offset);
  put_stamp(exchange, PSPROBE_HEADER_ANSWERED, psprobe_clock_monotonic() + offset);
  psp_exchange_reply(exchange, 200, NULL, "", 0);
}

void psp_reply_again(psp_exchange *exchange) {
  psp_exchange_set_header(exchange, "Retry-After", "1");
  psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE,
                           "the answer could not be kept: send it again");
}
