/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_ERROR_H
#define PSPROBE_ERROR_H
/**
 * @file
 * Codes and errors. Every call that can fail returns a psprobe_code and takes,
 * last, a psprobe_error that may be NULL.
 *
 * Ownership: plain values and constants.
 * Threading: any thread.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What became of a call. Names and numbers are those of google.rpc.Code
 * (googleapis, google/rpc/code.proto), one to one.
 */
typedef enum psprobe_code {
  PSPROBE_OK = 0,
  PSPROBE_CANCELLED = 1,
  PSPROBE_UNKNOWN = 2,
  PSPROBE_INVALID_ARGUMENT = 3,
  PSPROBE_DEADLINE_EXCEEDED = 4,
  PSPROBE_NOT_FOUND = 5,
  PSPROBE_ALREADY_EXISTS = 6,
  PSPROBE_PERMISSION_DENIED = 7,
  PSPROBE_RESOURCE_EXHAUSTED = 8,
  PSPROBE_FAILED_PRECONDITION = 9,
  PSPROBE_ABORTED = 10,
  PSPROBE_OUT_OF_RANGE = 11,
  PSPROBE_UNIMPLEMENTED = 12,
  PSPROBE_INTERNAL = 13,
  PSPROBE_UNAVAILABLE = 14,
  PSPROBE_DATA_LOSS = 15,
  PSPROBE_UNAUTHENTICATED = 16
} psprobe_code;

/**
 * The whole story of a failure, as a plain value that the caller owns. A call
 * that succeeds leaves it as it was. `message` names the operation, the
 * resource and the cause, on one line of printable UTF-8, and holds no secret.
 */
typedef struct psprobe_error {
  psprobe_code code;
  int http_status;   /**< of the answer; 0 where there was none */
  bool retryable;    /**< the same call may succeed later */
  bool from_service; /**< the API's own word, in its own JSON; false: ours, or that of something
                        on the way (a proxy, a captive portal, another server) */
  int64_t retry_after_ns; /**< as the server asked (Retry-After); 0: it did not */
  char reason[64];        /**< Google's ErrorInfo.reason, or "" */
  char message[512];
} psprobe_error;

/**
 * The name of a code as Google writes it.
 * @param code any number
 * @return "NOT_FOUND"; "UNKNOWN" for a number that is none; a constant
 */
PSPROBE_API const char *psprobe_code_name(psprobe_code code);

/** Makes `error` (may be NULL) say OK, with an empty message. */
PSPROBE_API void psprobe_error_clear(psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
