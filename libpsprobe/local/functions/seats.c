/* SPDX-License-Identifier: MIT */
#include "local/functions/seats.h"

psp_function_instance *psp_function_seat(const psp_function *function) {
  psp_function_instance *best = NULL;
  for (psp_function_instance *each = function->all; each != NULL; each = each->next) {
    if (each->state != PSP_INSTANCE_READY || each->flights >= function->concurrency) continue;
    bool busier = best == NULL || each->flights > best->flights ||
                  (each->flights == best->flights && each->idle_since_ns > best->idle_since_ns);
    if (busier) best = each;
  }
  return best;
}

void psp_function_queue(psp_function *function, psp_function_event *event) {
  event->next = NULL;
  if (function->first != NULL)
    function->last->next = event;
  else
    function->first = event;
  function->last = event;
  function->waiting++;
}

psp_function_event *psp_function_next(psp_function *function) {
  psp_function_event *event = function->first;
  if (event == NULL) return NULL;
  function->first = event->next;
  function->waiting--;
  event->next = NULL;
  return event;
}

psp_function_event *psp_function_overdue(psp_function *function, int64_t now_ns) {
  bool is = function->first != NULL && function->first->until_ns <= now_ns;
  return is ? psp_function_next(function) : NULL;
}

static int count(const psp_function *function, bool starting_only) {
  int found = 0;
  for (const psp_function_instance *each = function->all; each != NULL; each = each->next)
    found += each->state == PSP_INSTANCE_STARTING ||
             (each->state == PSP_INSTANCE_READY && !starting_only);
  return found;
}

int psp_function_wanted(const psp_function *function, int64_t now_ns) {
  int live = count(function, false), starting = count(function, true), more = 0;
  while (live + more < function->max_instances &&
         function->waiting > (size_t)(starting + more) * (size_t)function->concurrency)
    more++;
  int kept = now_ns >= function->retry_ns ? function->min_instances - live : 0;
  return kept > more ? kept : more;
}

/* Since when an instance could be idle, as it looks now. */
static int64_t idle_since(const psp_function_instance *instance, int64_t now_ns) {
  return instance->flights == 0 ? instance->idle_since_ns : now_ns;
}

/* The ready one that has been idle longest, where not all are to be kept. */
static psp_function_instance *idlest(const psp_function *function, int64_t now_ns) {
  psp_function_instance *found = NULL;
  for (psp_function_instance *each = function->all; each != NULL; each = each->next)
    if (each->state == PSP_INSTANCE_READY &&
        (found == NULL || idle_since(each, now_ns) < idle_since(found, now_ns)))
      found = each;
  return count(function, false) > function->min_instances ? found : NULL;
}

psp_function_instance *psp_function_spare(const psp_function *function, int64_t now_ns) {
  psp_function_instance *found = idlest(function, now_ns);
  return found != NULL && now_ns - idle_since(found, now_ns) >= function->idle_ns ? found : NULL;
}

int64_t psp_function_due(const psp_function *function, int64_t now_ns) {
  int64_t due = function->first != NULL ? function->first->until_ns : INT64_MAX;
  const psp_function_instance *next = idlest(function, now_ns);
  if (next != NULL && idle_since(next, now_ns) + function->idle_ns < due)
    due = idle_since(next, now_ns) + function->idle_ns;
  if (count(function, false) < function->min_instances && function->retry_ns > now_ns &&
      function->retry_ns < due)
    due = function->retry_ns;
  return due;
}
