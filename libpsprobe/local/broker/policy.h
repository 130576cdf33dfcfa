/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_POLICY_H
#define PSP_LOCAL_BROKER_POLICY_H
/**
 * @file
 * Who may do what (google.iam.v1.Policy): kept, changed by etag, and shown. The stand-in asks
 * nobody who he is, so that it forbids nothing. Pure.
 */
#include <stdint.h>

#include <psprobe/error.h>

#include "base/json.h"
#include "local/broker/names.h"

/** Texts are owned; NULL: not set. Valid when zeroed. */
typedef struct psp_policy {
  int version;
  char *bindings; /**< JSON arrays */
  char *audits;
  char *etag; /**< in base64; NULL: that of the empty policy */
} psp_policy;

void psp_policy_free(psp_policy *policy);
/** Fills what it finds, also when it refuses. False: no policy. */
bool psp_policy_decode(const psp_json *json, psp_policy *out);
/** @return INVALID_ARGUMENT: a role or a member that cannot be, a condition below version 3 */
psprobe_code psp_policy_check(const psp_policy *policy, psprobe_error *error);
void psp_policy_encode(psp_json_writer *w, const psp_policy *policy);

/** Policies by the full name of what they are of; valid when zeroed. */
typedef struct psp_policies {
  psp_names names;
  uint64_t changes;
} psp_policies;
void psp_policies_free(psp_policies *policies);
/** That of the name; the empty one where none was set. */
const psp_policy *psp_policies_get(const psp_policies *policies, const char *name);
/** Takes what is in `policy`, and gives it a new etag. @return ABORTED: it has another etag than
 * what is there */
psprobe_code psp_policies_set(psp_policies *policies, const char *name, psp_policy *policy,
                              psprobe_error *error);
void psp_policies_drop(psp_policies *policies, const char *name); /**< fine where there is none */

#endif
