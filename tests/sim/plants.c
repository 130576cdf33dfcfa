/* SPDX-License-Identifier: MIT */
#include "plants.h"

#include <stddef.h>
#include <stdint.h>

#include "wraps.h"

sim_plant sim_planted;

psprobe_code __wrap_psp_outbox_take(psprobe_store *store, int64_t after, size_t max, bool runs,
                                    psp_outbox *outbox, psprobe_error *error) {
  psp_mark marks[500]; /* of whatever the outbox holds */
  psprobe_code code = __real_psp_outbox_take(store, after, max, runs, outbox, error);
  if (sim_planted != SIM_MARK_FIRST || code != PSPROBE_OK || outbox->count == 0) return code;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    marks[i] = PSP_MARK_NEWEST;
  return psp_outbox_mark(store, outbox, marks, error);
}

psprobe_code __wrap_psp_batch_write_until(psprobe_client *client, const psprobe_write *writes,
                                          size_t count, int64_t once_ns, psp_stopper *stopper,
                                          psprobe_error *outcomes, psprobe_error *error) {
  psprobe_write with[500];
  if (sim_planted != SIM_NO_GROUND)
    return __real_psp_batch_write_until(client, writes, count, once_ns, stopper, outcomes, error);
  for (size_t i = 0; i < count; i++) {
    with[i] = writes[i];
    if (!writes[i].precondition.must_not_exist)
      with[i].precondition = (psprobe_precondition){.must_exist = true};
  }
  return __real_psp_batch_write_until(client, with, count, once_ns, stopper, outcomes, error);
}

size_t __wrap_psprobe_registry_collect(psprobe_registry *registry, int64_t now_ns,
                                       psprobe_finished *finished, size_t max) {
  size_t count = __real_psprobe_registry_collect(registry, now_ns, finished, max), kept = 0;
  if (sim_planted != SIM_DROP_LATE) return count;
  for (size_t i = 0; i < count; i++)
    if (!finished[i].update) finished[kept++] = finished[i];
  return kept;
}

psprobe_code __wrap_psprobe_registry_new(const psprobe_registry_options *options,
                                         psprobe_registry **registry, psprobe_error *error) {
  psprobe_registry_options with = *options;
  if (sim_planted == SIM_OFF_BY_ONE) {
    with.late_window_ns = with.timeout_ns + 1;
    with.timeout_ns--;
  }
  return __real_psprobe_registry_new(&with, registry, error);
}
