/* SPDX-License-Identifier: MIT */
/** @file What waits for an instance, and which instances wait: with the host's lock held. */
#include <stdlib.h>

#include "local/functions/parts.h"

psp_function_event *psp_function_next(psp_function *function) {
  psp_function_event *event = function->first;
  if (event == NULL) return NULL;
  function->first = event->next;
  function->waiting--;
  event->next = NULL;
  return event;
}

void psp_function_fail(psp_function_event *event, const char *why) {
  psp_exchange_reply_error(event->exchange, 503, PSPROBE_UNAVAILABLE, why);
  free(event);
}

void psp_function_not_idle(psp_function_instance *instance) {
  psp_function_instance **at = &instance->function->idle;
  while (instance->idle && *at != instance)
    at = &(*at)->next_idle;
  if (instance->idle) *at = instance->next_idle;
  instance->idle = false;
}
