/* SPDX-License-Identifier: MIT */
/** @file What things are called: sources, accounts, addresses, and whose API they are of. Pure. */
#include <stdio.h>
#include <string.h>

#include "setup/parts.h"

const psp_setup_source psp_setup_two[PSP_SETUP_TWO] = {
    {"cloud_function", "-cloud-function", PSP_WAY_PUSH, 0, NULL, NULL},
    {"regular_service", "-regular-service", PSP_WAY_PULL, 1, NULL, NULL},
};
const psp_setup_source psp_setup_six[PSP_SETUP_SIX] = {
    {"function_direct", "-function-direct", PSP_WAY_PUSH, 0, NULL, NULL},
    {"function_eventarc", "-function-eventarc", PSP_WAY_EVENTARC, 0, NULL, NULL},
    {"function_warm", "-function-warm", PSP_WAY_PUSH, 1, NULL, NULL},
    {"worker_stream", "-worker-stream", PSP_WAY_PULL, 1, NULL, NULL},
    {"vm_stream", "-vm-stream", PSP_WAY_ELSEWHERE, 0, NULL, NULL},
    {"worker_pull", "-worker-pull", PSP_WAY_PULL, 1, "unary", "1"},
};

const psp_setup_source *psp_setup_sources(const psprobe_setup *setup, size_t *count) {
  *count = setup->o.all ? PSP_SETUP_SIX : PSP_SETUP_TWO;
  return setup->o.all ? psp_setup_six : psp_setup_two;
}

void psp_setup_suffix(const psp_setup_source *source, bool cold, char *out, size_t size) {
  snprintf(out, size, "%s%s", source->suffix, cold ? PSP_SETUP_COLD : "");
}

void psp_setup_topic(const psprobe_setup *setup, bool cold, psp_buf *out) {
  psp_buf_printf(out, "%s%s", setup->o.topic, cold ? PSP_SETUP_COLD : "");
}

bool psp_setup_pushes(const psp_setup_source *source) {
  return source->way == PSP_WAY_PUSH;
}

void psp_setup_run_url(const psprobe_setup *setup, const char *name, psp_buf *out) {
  psp_buf_printf(out, "https://%s-%s.%s.run.app", name, setup->number, setup->region);
}

void psp_setup_email(const psprobe_setup *setup, const psp_thing *account, psp_buf *out) {
  /* A project of a domain, "example.com:p", is p.example.com in its accounts' names. */
  const char *colon = strchr(setup->project, ':');
  if (colon == NULL)
    psp_buf_printf(out, "%s@%s.iam.gserviceaccount.com", account->name, setup->project);
  else
    psp_buf_printf(out, "%s@%s.%.*s.iam.gserviceaccount.com", account->name, colon + 1,
                   (int)(colon - setup->project), setup->project);
}

void psp_setup_prober(const psprobe_setup *setup, psp_buf *out) {
  if (setup->o.prober_url != NULL) {
    psp_buf_text(out, setup->o.prober_url);
  } else if (setup->o.image != NULL) {
    char name[96];
    snprintf(name, sizeof name, "%s-prober", setup->o.topic);
    psp_setup_run_url(setup, name, out);
  }
}

const psp_thing *psp_setup_find(const psprobe_setup *setup, const psp_kind *kind,
                                const char *name) {
  for (size_t i = 0; i < setup->count; i++)
    if (setup->things[i].kind == kind && strcmp(setup->things[i].name, name) == 0)
      return &setup->things[i];
  return NULL;
}

psp_service psp_setup_service(const psp_thing *thing) {
  if (!thing->kind->policy) return thing->kind->service;
  return thing->on != NULL ? thing->on->kind->service : PSP_RESOURCE_MANAGER;
}

const char *psp_setup_permissions(const psp_thing *thing, const char **role) {
  const psp_kind *kind = thing->kind->policy && thing->on != NULL ? thing->on->kind : thing->kind;
  *role = kind->role;
  return kind->permissions;
}
