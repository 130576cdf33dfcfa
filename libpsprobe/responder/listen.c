/* SPDX-License-Identifier: MIT */
/** @file The responder as a function: events in any form, over HTTP. */
#include "base/error.h"
#include "responder/parts.h"

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  /* What holds no probe is acknowledged too, or it would come again for days. */
  bool ended = code == PSPROBE_OK || code == PSPROBE_INVALID_ARGUMENT;
  psprobe_call_end(arg, ended ? PSPROBE_OK : PSPROBE_UNAVAILABLE, error);
}

static psprobe_code on_message(void *arg, psprobe_call *call, psprobe_error *error) {
  (void)error;
  psprobe_invocation invocation = psprobe_call_invocation(call);
  psprobe_call_later(call);
  psp_responder_begin(arg, psprobe_call_message(call), invocation.received_ns, invocation.number,
                      on_answered, call);
  return PSPROBE_OK;
}

/* The body of a push without wrapper and without metadata. */
static bool is_probe(const char *body, size_t len) {
  const psprobe_message message = {.data = body, .data_len = len};
  char id[PSPROBE_ID_SIZE];
  return psp_responder_probe_id(&message, id);
}

psprobe_code psprobe_responder_listen(psprobe_responder *responder, const char *listen, int *port,
                                      psprobe_error *error) {
  if (responder->function != NULL)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "responder: it listens already");
  const psprobe_target target = {.name = responder->source,
                                 .kind = PSPROBE_TARGET_MESSAGE,
                                 .function = on_message,
                                 .arg = responder,
                                 .at_once = true};
  const psprobe_function_options options = {.listen = listen, .logger = &responder->logger};
  const psp_function_hooks hooks = {.instance = &responder->instance,
                                    .is_plain = is_probe,
                                    .verifier = responder->verifier,
                                    .quiet = true};
  psprobe_code code = psp_function_begin(&target, &options, &hooks, &responder->function, error);
  if (code == PSPROBE_OK && port != NULL) *port = psprobe_function_port(responder->function);
  return code;
}
