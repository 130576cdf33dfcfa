/* SPDX-License-Identifier: MIT */
/**
 * @file Who may do what: roles of our accounts in the policies of our things, and of the project.
 * Read, edited, written back with the etag, and all again when somebody else was faster.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "setup/parts.h"

#define TRIES    10
#define PAUSE_NS (PSP_SECOND_NS / 10)

static void grants_path(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  if (thing->on != NULL)
    thing->on->kind->path(setup, thing->on, out);
  else
    psp_buf_printf(out, "/v3/projects/%s", setup->project);
}

/* With conditions (version 3), or those of others would be lost when it is written back. */
static psprobe_code get(psprobe_setup *setup, const psp_thing *thing, psp_json **policy,
                        psprobe_error *error) {
  psp_buf path = {0}, body = {0};
  char what[200];
  snprintf(what, sizeof what, "read the policy of %s", thing->name);
  grants_path(setup, thing, &path);
  psp_buf_text(&path, ":getIamPolicy");
  bool project = thing->on == NULL;
  if (project)
    psp_buf_text(&body, "{\"options\":{\"requestedPolicyVersion\":3}}");
  else
    psp_buf_text(&path, "?options.requestedPolicyVersion=3");
  psprobe_code code = path.failed || body.failed
                          ? psp_fail_memory(error, what)
                          : psp_setup_call(setup, thing, project ? "POST" : "GET", path.data,
                                           project ? &body : NULL, what, policy, error);
  psp_buf_free(&path);
  psp_buf_free(&body);
  return code;
}

/* The members of the grants, to be freed by free_members; NULL: no memory. */
static char **make_members(const psprobe_setup *setup, const psp_thing *thing) {
  char **members = calloc(PSP_SETUP_GRANTS, sizeof *members);
  for (size_t i = 0; members != NULL && i < thing->grant_count; i++) {
    psp_buf member = {0};
    psp_buf_text(&member, "serviceAccount:");
    psp_setup_email(setup, thing->grants[i].account, &member);
    members[i] = psp_buf_take(&member, NULL);
  }
  return members;
}

static void free_members(char **members) {
  for (size_t i = 0; members != NULL && i < PSP_SETUP_GRANTS; i++)
    free(members[i]);
  free(members);
}

static size_t count_there(const psp_thing *thing, char **members, const psp_json *policy) {
  size_t there = 0;
  for (size_t i = 0; i < thing->grant_count; i++)
    there += psp_policy_has(policy, thing->grants[i].role, members[i]);
  return there;
}

/* An account that is not ours may have what roles it likes. */
static void forget_strangers(psp_thing *thing) {
  size_t kept = 0;
  for (size_t i = 0; i < thing->grant_count; i++) {
    psp_seen seen = thing->grants[i].account->seen;
    if (seen != PSP_SEEN_ABSENT && seen != PSP_SEEN_STRANGE)
      thing->grants[kept++] = thing->grants[i];
  }
  thing->grant_count = kept;
}

static psprobe_code grants_read(psprobe_setup *setup, psp_thing *thing, psprobe_error *error) {
  psp_json *policy = NULL;
  bool destroy = setup->verb == PSPROBE_SETUP_DESTROY;
  thing->seen = PSP_SEEN_ABSENT;
  if (destroy) forget_strangers(thing);
  /* What goes with the thing itself is not looked at; nor is what is not there yet. */
  bool gone = thing->on != NULL && (destroy || thing->on->seen == PSP_SEEN_ABSENT ||
                                    thing->on->seen == PSP_SEEN_STRANGE);
  if (gone || thing->grant_count == 0) return PSPROBE_OK;
  psprobe_code code = get(setup, thing, &policy, error);
  char **members = code == PSPROBE_OK ? make_members(setup, thing) : NULL;
  if (members != NULL) {
    size_t there = count_there(thing, members, policy);
    thing->seen = there == thing->grant_count ? PSP_SEEN_SAME
                  : there > 0                 ? PSP_SEEN_PART
                                              : PSP_SEEN_ABSENT;
  } else if (code == PSPROBE_OK) {
    code = psp_fail_memory(error, "policy");
  }
  free_members(members);
  psp_json_free(policy);
  return code;
}

static psprobe_code set(psprobe_setup *setup, const psp_thing *thing, const psp_json *policy,
                        char **members, bool take_away, psprobe_error *error) {
  psp_buf path = {0}, body = {0};
  char what[200];
  snprintf(what, sizeof what, "change the policy of %s", thing->name);
  grants_path(setup, thing, &path);
  psp_buf_text(&path, ":setIamPolicy");
  psp_policy_body(policy, thing->grants, (const char *const *)members, thing->grant_count,
                  take_away, &body);
  psprobe_code code = path.failed || body.failed ? psp_fail_memory(error, what)
                                                 : psp_setup_call(setup, thing, "POST", path.data,
                                                                  &body, what, NULL, error);
  psp_buf_free(&path);
  psp_buf_free(&body);
  return code;
}

static psprobe_code grants_change(psprobe_setup *setup, psp_thing *thing, bool take_away,
                                  psprobe_error *error) {
  psprobe_code code = PSPROBE_ABORTED;
  char **members = make_members(setup, thing);
  if (members == NULL) return psp_fail_memory(error, "policy");
  for (int i = 0; i < TRIES && code == PSPROBE_ABORTED; i++) {
    psp_json *policy = NULL;
    if (i > 0 && !psp_setup_pause(setup, PAUSE_NS)) {
      code = psp_setup_fail_stopped(error);
      break;
    }
    code = get(setup, thing, &policy, error);
    size_t there = code == PSPROBE_OK ? count_there(thing, members, policy) : 0;
    if (code == PSPROBE_OK && there != (take_away ? 0 : thing->grant_count))
      code = set(setup, thing, policy, members, take_away, error);
    psp_json_free(policy);
  }
  free_members(members);
  return code;
}

const psp_kind psp_kind_grants = {
    .word = "permissions of",
    .service = PSP_RESOURCE_MANAGER,
    .permissions = "resourcemanager.projects",
    .role = "roles/resourcemanager.projectIamAdmin",
    .policy = true,
    .path = grants_path,
    .read = grants_read,
    .change = grants_change,
};
