/* SPDX-License-Identifier: MIT */
#include "grpc/status.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

psprobe_code psp_rpc_code_from_http(int http_status) {
  switch (http_status) {
    case 400:
      return PSPROBE_INTERNAL;
    case 401:
      return PSPROBE_UNAUTHENTICATED;
    case 403:
      return PSPROBE_PERMISSION_DENIED;
    case 404:
      return PSPROBE_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return PSPROBE_UNAVAILABLE;
    default:
      return PSPROBE_UNKNOWN;
  }
}

psprobe_code psp_rpc_code_from_reset(uint32_t error) {
  switch (error) {
    case NGHTTP2_REFUSED_STREAM:
      return PSPROBE_UNAVAILABLE;
    case NGHTTP2_CANCEL:
      return PSPROBE_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return PSPROBE_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
      return PSPROBE_PERMISSION_DENIED;
    default:
      return error <= NGHTTP2_HTTP_1_1_REQUIRED ? PSPROBE_INTERNAL : PSPROBE_UNKNOWN;
  }
}

/* A broken escape stays as it is: half a message is better than none. */
static void decode(psp_buf *out, const psp_rpc_field *field) {
  for (size_t i = 0; i < field->len; i++) {
    const char *at = field->value + i;
    int high = *at == '%' && field->len - i > 2 ? psp_hex_digit(at[1]) : -1;
    int low = high >= 0 ? psp_hex_digit(at[2]) : -1;
    char c = low >= 0 ? (char)(high * 16 + low) : *at;
    psp_buf_char(out, c != 0 ? c : '?');
    if (low >= 0) i += 2;
  }
}

bool psp_rpc_status_read(const psp_fields *trailers, psp_buf *text, psp_rpc_status *status) {
  const psp_rpc_field *code = psp_fields_get(trailers, "grpc-status");
  const psp_rpc_field *message = psp_fields_get(trailers, "grpc-message");
  const psp_rpc_field *details = psp_fields_get(trailers, "grpc-status-details-bin");
  int64_t number;
  if (code == NULL) return false;
  bool known = psp_parse_int64(code->value, 0, PSPROBE_UNAUTHENTICATED, &number);
  psp_buf_reset(text);
  if (message != NULL) decode(text, message);
  *status = (psp_rpc_status){.code = known ? (psprobe_code)number : PSPROBE_UNKNOWN,
                             .message = text->data != NULL ? text->data : "",
                             .details = details != NULL ? details->value : NULL,
                             .details_len = details != NULL ? details->len : 0,
                             .trailers = trailers,
                             .from_peer = true};
  return true;
}

void psp_rpc_message_write(psp_buf *out, const char *message) {
  for (; *message != 0; message++) {
    if (*message >= ' ' && *message <= '~' && *message != '%')
      psp_buf_char(out, *message);
    else
      psp_buf_printf(out, "%%%02X", (unsigned char)*message);
  }
}
