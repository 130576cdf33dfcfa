/* SPDX-License-Identifier: MIT */
#include "local/broker/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "local/broker/settings_json.h"
#include "local/proto_fields.h"

#define CONDITIONS 3 /* the version from which a binding may have one */

/* One of the table. */
typedef struct owned {
  psp_policy policy;
  char name[];
} owned;

void psp_policy_free(psp_policy *policy) {
  free(policy->bindings);
  free(policy->audits);
  free(policy->etag);
  *policy = (psp_policy){0};
}

bool psp_policy_decode(const psp_json *json, psp_policy *out) {
  static const psp_field fields[] = {{"version", psp_read_int32, offsetof(psp_policy, version)},
                                     {"bindings", psp_read_json, offsetof(psp_policy, bindings)},
                                     {"auditConfigs", psp_read_json, offsetof(psp_policy, audits)},
                                     {"etag", psp_read_text, offsetof(psp_policy, etag)},
                                     {0}};
  return psp_fields_read(json, fields, out);
}

/* ---- checked ---- */

static bool is_role(const char *text) {
  return text != NULL && (psp_text_starts(text, "roles/") || psp_text_starts(text, "projects/") ||
                          psp_text_starts(text, "organizations/"));
}

/* https://cloud.google.com/iam/docs/principal-identifiers */
static bool is_member(const char *text) {
  static const char *const kinds[] = {
      "user:",         "serviceAccount:", "group:",         "domain:",        "principal:",
      "principalSet:", "projectOwner:",   "projectEditor:", "projectViewer:", "deleted:"};
  if (psp_text_equal(text, "allUsers") || psp_text_equal(text, "allAuthenticatedUsers"))
    return true;
  for (size_t i = 0; text != NULL && i < sizeof kinds / sizeof *kinds; i++)
    if (psp_text_starts(text, kinds[i]) && text[strlen(kinds[i])] != 0) return true;
  return false;
}

static psprobe_code check_binding(const psp_json *binding, int version, psprobe_error *error) {
  const char *role = psp_json_string(psp_json_get(binding, "role"));
  const psp_json *members = psp_json_get(binding, "members");
  if (!is_role(role))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Role %s is not supported for this resource.",
                    role != NULL ? role : "");
  if (psp_json_is_object(psp_json_get(binding, "condition")) && version < CONDITIONS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "A policy with a condition must be of version %d.", CONDITIONS);
  for (const psp_json *one = psp_json_first(members); one != NULL; one = psp_json_next(one))
    if (!is_member(psp_json_string(one)))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The member %s is of an unknown type.",
                      psp_json_string(one) != NULL ? psp_json_string(one) : "");
  return PSPROBE_OK;
}

psprobe_code psp_policy_check(const psp_policy *policy, psprobe_error *error) {
  psp_json *bindings = NULL;
  psprobe_code code = PSPROBE_OK;
  if (policy->version != 0 && policy->version != 1 && policy->version != CONDITIONS)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "A policy is of version 0, 1 or 3, not %d.",
                    policy->version);
  if (policy->bindings == NULL) return PSPROBE_OK;
  if (psp_json_parse(policy->bindings, strlen(policy->bindings), "bindings", &bindings, NULL) !=
          PSPROBE_OK ||
      !psp_json_is_array(bindings))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The bindings are no list.");
  for (const psp_json *one = psp_json_first(bindings); one != NULL && code == PSPROBE_OK;
       one = psp_json_next(one))
    code = check_binding(one, policy->version, error);
  psp_json_free(bindings);
  return code;
}

void psp_policy_encode(psp_json_writer *w, const psp_policy *policy) {
  psp_json_begin_object(w);
  if (policy->version != 0) psp_json_put_int64_member(w, "version", policy->version);
  psp_kept_json_encode(w, "bindings", policy->bindings);
  psp_kept_json_encode(w, "auditConfigs", policy->audits);
  psp_json_put_member(w, "etag", policy->etag != NULL ? policy->etag : "ACAB"); /* as Google's */
  psp_json_end_object(w);
}

/* ---- kept ---- */

void psp_policies_free(psp_policies *policies) {
  owned *one;
  for (size_t i = 0; (one = psp_names_at(&policies->names, i)) != NULL; i++) {
    psp_policy_free(&one->policy);
    free(one);
  }
  psp_names_free(&policies->names);
  *policies = (psp_policies){0};
}

const psp_policy *psp_policies_get(const psp_policies *policies, const char *name) {
  static const psp_policy empty;
  const owned *one = psp_names_find(&policies->names, name);
  return one != NULL ? &one->policy : &empty;
}

/* The entry of a name, made where there is none. NULL: no memory. */
static owned *entry(psp_policies *policies, const char *name) {
  owned *one = psp_names_find(&policies->names, name);
  size_t size = strlen(name) + 1;
  if (one != NULL) return one;
  one = calloc(1, sizeof *one + size);
  if (one == NULL) return NULL;
  memcpy(one->name, name, size);
  if (psp_names_add(&policies->names, one->name, one)) return one;
  free(one);
  return NULL;
}

static char *next_etag(psp_policies *policies) {
  unsigned char bytes[8];
  psp_buf text = {0};
  uint64_t number = ++policies->changes;
  for (size_t i = sizeof bytes; i-- > 0; number >>= 8)
    bytes[i] = (unsigned char)number;
  psp_base64_encode(&text, bytes, sizeof bytes);
  return psp_buf_take(&text, NULL);
}

psprobe_code psp_policies_set(psp_policies *policies, const char *name, psp_policy *policy,
                              psprobe_error *error) {
  const char *there = psp_policies_get(policies, name)->etag;
  if (policy->etag != NULL && !psp_text_equal(policy->etag, there != NULL ? there : "ACAB"))
    return psp_fail(error, PSPROBE_ABORTED,
                    "There were concurrent policy changes. Please retry the whole "
                    "read-modify-write with exponential backoff.");
  char *etag = next_etag(policies);
  owned *one = etag != NULL ? entry(policies, name) : NULL;
  if (one == NULL) {
    free(etag);
    return psp_fail_memory(error, "policy");
  }
  psp_policy_free(&one->policy);
  free(policy->etag);
  one->policy = *policy;
  one->policy.etag = etag;
  *policy = (psp_policy){0};
  return PSPROBE_OK;
}

void psp_policies_drop(psp_policies *policies, const char *name) {
  owned *one = psp_names_remove(&policies->names, name);
  if (one != NULL) psp_policy_free(&one->policy);
  free(one);
}
