/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"

#define MESSAGE_SIZE sizeof(((psprobe_error *)NULL)->message)

static const char *const names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};
#define NAMES (sizeof names / sizeof *names)

const char *psprobe_code_name(psprobe_code code) {
  return (unsigned)code < NAMES ? names[code] : names[PSPROBE_UNKNOWN];
}

void psprobe_error_clear(psprobe_error *error) {
  if (error != NULL) *error = (psprobe_error){.code = PSPROBE_OK};
}

psprobe_code psp_code_parse(const char *name) {
  for (size_t i = 0; name != NULL && i < NAMES; i++)
    if (strcmp(name, names[i]) == 0) return (psprobe_code)i;
  return PSPROBE_UNKNOWN;
}

psprobe_code psp_code_from_http(int status) {
  switch (status) {
    case 400:
      return PSPROBE_INVALID_ARGUMENT;
    case 401:
      return PSPROBE_UNAUTHENTICATED;
    case 403:
      return PSPROBE_PERMISSION_DENIED;
    case 404:
      return PSPROBE_NOT_FOUND;
    case 408:
      return PSPROBE_UNAVAILABLE;
    case 409:
      return PSPROBE_ABORTED; /* or ALREADY_EXISTS: only the body tells */
    case 413:
      return PSPROBE_INVALID_ARGUMENT;
    case 416:
      return PSPROBE_OUT_OF_RANGE;
    case 429:
      return PSPROBE_RESOURCE_EXHAUSTED;
    case 499:
      return PSPROBE_CANCELLED;
    case 501:
      return PSPROBE_UNIMPLEMENTED;
    case 502: /* a proxy before Google's servers: no status */
    case 503:
      return PSPROBE_UNAVAILABLE;
    case 504:
      return PSPROBE_DEADLINE_EXCEEDED;
    default:
      break;
  }
  if (status >= 200 && status < 300) return PSPROBE_OK;
  if (status >= 400 && status < 500) return PSPROBE_FAILED_PRECONDITION;
  if (status >= 500 && status < 600) return PSPROBE_INTERNAL;
  return PSPROBE_UNKNOWN;
}

psprobe_code psp_fail(psprobe_error *error, psprobe_code code, const char *format, ...) {
  if (error == NULL) return code;
  char message[MESSAGE_SIZE]; /* the arguments may point into *error */
  va_list args;
  va_start(args, format);
  if (vsnprintf(message, sizeof message, format, args) < 0) message[0] = '\0';
  va_end(args);
  *error = (psprobe_error){.code = code, .retryable = code == PSPROBE_UNAVAILABLE};
  psp_printable_text(error->message, sizeof error->message, message);
  return code;
}

psprobe_code psp_fail_memory(psprobe_error *error, const char *what) {
  return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: %s", what);
}

psprobe_code psp_fail_in(psprobe_error *error, const char *format, ...) {
  if (error == NULL) return PSPROBE_UNKNOWN;
  char message[MESSAGE_SIZE];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(message, sizeof message, format, args);
  va_end(args);
  if (len < 0) return error->code;
  char *at = message + strlen(message), *last = message + sizeof message - 1;
  for (const char *s = ": "; *s != '\0' && at < last; s++)
    *at++ = *s;
  for (const char *s = error->message; *s != '\0' && at < last; s++)
    *at++ = *s;
  *at = '\0';
  psp_printable_text(error->message, sizeof error->message, message);
  return error->code;
}
