/* SPDX-License-Identifier: MIT */
#include "event_request.h"

#include <string.h>

psprobe_code event_request_decode(const char *path, const header_list headers, const char *body,
                                  psprobe_event_want want, psprobe_events **events,
                                  psprobe_error *error) {
  psprobe_event_request request = {
      .path = path, .headers = headers, .body = body, .body_len = strlen(body), .want = want};
  while (request.header_count < 12 && headers[request.header_count].key != NULL)
    request.header_count++;
  return psprobe_events_decode(&request, events, error);
}
