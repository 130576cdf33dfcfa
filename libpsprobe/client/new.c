/* SPDX-License-Identifier: MIT */
/** @file A client with real connections. */
#include "client/call.h"

/* By itself, so that tests with a transport of their own link without the real one. */
psprobe_code psprobe_client_new(const psprobe_client_options *options, psprobe_client **client,
                                psprobe_error *error) {
  psp_http_options connections = {0};
  if (options != NULL) {
    connections.ca_file = options->ca_file;
    connections.logger = options->logger;
  }
  psp_http *http = NULL;
  psprobe_code code = psp_http_new(&connections, &http, error);
  if (code != PSPROBE_OK) return code;
  return psp_client_new_http(options, http, client, error);
}
