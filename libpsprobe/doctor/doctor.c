/* SPDX-License-Identifier: MIT */
/** @file One run: what it needs, and the checks in their order. */
#include <stdlib.h>
#include <string.h>

#include <psprobe/probe.h>
#include <psprobe/pubsub.h>

#include "auth/url.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "doctor/parts.h"
#include "firestore/path.h"
#include "http/url.h"
#include "os/wait.h"

static const char *const pull[] = {"probes-regular-service"};
static const char *const push[] = {"probes-cloud-function"};

static psprobe_doctor_options with_defaults(const psprobe_doctor_options *given) {
  psprobe_doctor_options o = {0};
  if (given != NULL) o = *given;
  o.client.credentials = NULL;
  if (o.client.timeout_ns == 0) o.client.timeout_ns = PSP_DOCTOR_CHECK_NS;
  if (o.topic == NULL) o.topic = "probes";
  if (o.collection == NULL) o.collection = PSPROBE_COLLECTION;
  if (o.subscriptions == NULL) {
    o.subscriptions = pull;
    o.subscription_count = 1;
  }
  if (o.push_subscriptions == NULL) {
    o.push_subscriptions = push;
    o.push_subscription_count = 1;
  }
  return o;
}

static psprobe_code check_name(const char *what, const char *name, psprobe_error *error) {
  return strchr(name, '/') != NULL ? PSPROBE_OK : psprobe_pubsub_name_check(what, name, error);
}

static psprobe_code check_options(const psprobe_doctor_options *o, psprobe_error *error) {
  const char *why = NULL;
  psprobe_code code = check_name("topic", o->topic, error);
  for (size_t i = 0; code == PSPROBE_OK && i < o->subscription_count; i++)
    code = check_name("subscription", o->subscriptions[i], error);
  for (size_t i = 0; code == PSPROBE_OK && i < o->push_subscription_count; i++)
    code = check_name("subscription", o->push_subscriptions[i], error);
  if (code == PSPROBE_OK && o->prober != NULL && !psp_http_url_check(o->prober, &why))
    code = psp_setting_refuse(error, "prober", o->prober, "%s", why);
  if (code == PSPROBE_OK && o->resource_manager != NULL && !psp_url_is_safe(o->resource_manager))
    code = psp_setting_refuse(error, "Resource Manager", o->resource_manager,
                              "it must be https (http on loopback)");
  if (code == PSPROBE_OK && o->collection != NULL)
    code = psp_collection_setting_check(o->collection, error);
  return code;
}

static void tell_project(psp_doctor *d) {
  const char *given = d->o->client.project;
  psprobe_error error;
  psprobe_error_clear(&error);
  if (given != NULL) {
    d->project = given;
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "project", given, "%s, as it was given", given);
  } else if (d->no_credentials == NULL && (d->usable[PSP_PUBSUB] || d->usable[PSP_FIRESTORE]) &&
             psprobe_client_project(d->client, &d->project, &error) == PSPROBE_OK) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "project", d->project, "%s, which the credentials name",
                     d->project);
  } else if (d->who.project != NULL) { /* of credentials that are not used */
    d->project = d->who.project;
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "project", d->project, "%s, which the credentials name",
                     d->project);
  } else {
    psp_doctor_mend(d, "export GOOGLE_CLOUD_PROJECT=\"$(gcloud config get-value project)\"");
    psp_doctor_found(
        d, PSPROBE_DOCTOR_FAILED, "project", NULL,
        "no project is named (--project, GOOGLE_CLOUD_PROJECT), and no credentials name one");
  }
  d->found->project = psp_strdup(d->project);
}

static void look(psp_doctor *d) {
  psp_doctor_reach(d);
  /* First: where no token comes, the project is not asked for over the network. */
  psp_doctor_give_token(d);
  tell_project(d);
  psp_doctor_identity(d);
  psp_doctor_topic(d);
  psp_doctor_subscriptions(d);
  psp_doctor_firestore(d);
  psp_doctor_prober(d);
}

static psprobe_code run(psp_doctor *d, psprobe_error *error) {
  psprobe_client_options client = d->o->client;
  psp_http_options connections = {
      .ca_file = client.ca_file, .connect_timeout_ns = client.timeout_ns, .logger = client.logger};
  d->member = psp_strdup("MEMBER");
  if (d->member == NULL) return psp_fail_memory(error, "doctor");
  /* What cannot be is told before anything is looked at. */
  psprobe_client *probe = NULL;
  psprobe_code code = psprobe_client_new(&client, &probe, error);
  psprobe_client_free(probe);
  if (code == PSPROBE_OK) code = psp_http_new(&connections, &d->http, error);
  if (code != PSPROBE_OK) return code;
  psp_doctor_credentials(d);
  client.credentials = d->credentials;
  code = psprobe_client_new(&client, &d->client, error);
  if (code == PSPROBE_OK) look(d);
  if (code == PSPROBE_OK && d->failed) code = psp_fail_memory(error, "doctor");
  return code;
}

psprobe_code psprobe_doctor_run(const psprobe_doctor_options *options, psprobe_doctor_each *each,
                                void *arg, psprobe_diagnosis **diagnosis, psprobe_error *error) {
  psprobe_doctor_options o = with_defaults(options);
  psprobe_code code = check_options(&o, error);
  if (code != PSPROBE_OK) return code;
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  if (found == NULL) return psp_fail_memory(error, "doctor");
  psp_doctor d = {.o = &o,
                  .each = each,
                  .arg = arg,
                  .found = found,
                  .deadline_ns = psprobe_clock_monotonic() + PSP_DOCTOR_TOTAL_NS};
  code = run(&d, error);
  psprobe_client_free(d.client);
  psp_http_free(d.http);
  psprobe_credentials_free(d.credentials);
  free(d.member);
  for (size_t i = 0; i < d.mend_count; i++)
    free(d.mend[i]);
  if (code == PSPROBE_OK)
    *diagnosis = found;
  else
    psprobe_diagnosis_free(found);
  return code;
}
