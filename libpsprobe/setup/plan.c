/* SPDX-License-Identifier: MIT */
/** @file From what is wanted and what was seen to what is to be done. Pure. */
#include <stdio.h>

#include "setup/parts.h"

const char *psp_setup_action_word(psprobe_setup_action action) {
  static const char *const words[] = {"unchanged", "create", "change", "replace",
                                      "delete",    "keep",   "refused"};
  return (size_t)action < sizeof words / sizeof *words ? words[action] : "unknown";
}

static psprobe_setup_action to_apply(const psprobe_setup *setup, const psp_thing *thing) {
  switch (thing->seen) {
    case PSP_SEEN_ABSENT:
      return thing->kind == &psp_kind_api && !setup->o.enable_apis ? PSPROBE_SETUP_REFUSE
                                                                   : PSPROBE_SETUP_CREATE;
    case PSP_SEEN_PART:
      return PSPROBE_SETUP_UPDATE;
    case PSP_SEEN_OLD:
      return PSPROBE_SETUP_REPLACE;
    case PSP_SEEN_STRANGE:
      return PSPROBE_SETUP_REFUSE;
    default:
      return PSPROBE_SETUP_UNCHANGED;
  }
}

static psprobe_setup_action to_destroy(const psp_thing *thing) {
  bool ours =
      thing->seen == PSP_SEEN_SAME || thing->seen == PSP_SEEN_PART || thing->seen == PSP_SEEN_OLD;
  if (ours) return thing->kind->kept ? PSPROBE_SETUP_KEEP : PSPROBE_SETUP_DELETE;
  return thing->seen == PSP_SEEN_STRANGE ? PSPROBE_SETUP_KEEP : PSPROBE_SETUP_UNCHANGED;
}

static void say(const psp_thing *thing, psprobe_setup_action action, char *out, size_t size) {
  if (thing->kind == &psp_kind_api && action == PSPROBE_SETUP_REFUSE)
    snprintf(out, size, "is off (%s): --enable-apis turns it on", thing->use);
  else if (thing->seen == PSP_SEEN_STRANGE && action == PSPROBE_SETUP_REFUSE)
    snprintf(out, size, "is somebody else's: %s. It is not touched; take another --topic",
             thing->why);
  else if (thing->seen == PSP_SEEN_STRANGE)
    snprintf(out, size, "is somebody else's: %s", thing->why);
  else if (action == PSPROBE_SETUP_KEEP)
    snprintf(out, size, "%s", thing->kind->why_kept);
  else
    snprintf(out, size, "%s", thing->use);
}

static void add_step(psprobe_setup *setup, psp_thing *thing, psprobe_setup_action action) {
  psp_step *step = &setup->steps[setup->step_count++];
  *step = (psp_step){.thing = thing, .action = action};
  say(thing, action, step->text, sizeof step->text);
  if (action == PSPROBE_SETUP_REFUSE && thing->kind == &psp_kind_api)
    psp_setup_advise_api(setup, thing);
}

void psp_setup_steps(psprobe_setup *setup) {
  setup->step_count = 0;
  if (setup->verb == PSPROBE_SETUP_APPLY) {
    for (size_t i = 0; i < setup->count; i++)
      if (setup->things[i].wanted)
        add_step(setup, &setup->things[i], to_apply(setup, &setup->things[i]));
    return;
  }
  for (size_t i = setup->count; i-- > 0;) {
    psp_thing *thing = &setup->things[i];
    psprobe_setup_action action = to_destroy(thing);
    if (action != PSPROBE_SETUP_UNCHANGED && thing->kind != &psp_kind_api)
      add_step(setup, thing, action);
  }
}
