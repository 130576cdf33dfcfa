/* SPDX-License-Identifier: MIT */
/** @file A setup from its options to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "http/url.h"
#include "os/wait.h"
#include "setup/parts.h"

#define INTERVAL_NS   (5 * PSP_SECOND_NS)
#define FIRST_POLL_NS (PSP_SECOND_NS / 4)
#define SHORT_WORD    "abcdefghijklmnopqrstuvwxyz0123456789-"

/* All names begin with it: an account's has 30 characters, a letter first and no hyphen last
 * (https://cloud.google.com/iam/docs/service-accounts-create). */
static psprobe_code check_topic(const char *topic, psprobe_error *error) {
  size_t len = strlen(topic);
  bool good = len >= 3 && len <= 12 && strspn(topic, SHORT_WORD) == len && topic[0] >= 'a' &&
              topic[len - 1] != '-' && strncmp(topic, "goog", 4) != 0;
  if (good) return PSPROBE_OK;
  return psp_setting_refuse(
      error, "topic", topic,
      "everything is named after it, so it must be 3 to 12 lower-case "
      "letters, digits and hyphens, a letter first, no hyphen last, not goog");
}

static psprobe_code check_url(const char *what, const char *url, psprobe_error *error) {
  const char *why = NULL;
  if (url == NULL || psp_http_url_check(url, &why)) return PSPROBE_OK;
  return psp_setting_refuse(error, what, url, "%s", why);
}

static psprobe_code check_region(const char *region, psprobe_error *error) {
  size_t len = region != NULL ? strlen(region) : 1;
  if (len > 0 && len <= 40 && (region == NULL || strspn(region, SHORT_WORD) == len))
    return PSPROBE_OK;
  return psp_setting_refuse(error, "region", region, "it must be one as europe-west1");
}

static psprobe_code check_times(const psprobe_setup_options *o, psprobe_error *error) {
  if (o->interval_ns < 0 || o->cold_every_ns < 0 || o->first_poll_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a time must not be negative");
  return PSPROBE_OK;
}

static psprobe_code check_options(const psprobe_setup_options *o, psprobe_error *error) {
  psprobe_code code = check_topic(o->topic, error);
  if (code == PSPROBE_OK) code = check_region(o->region, error);
  if (code == PSPROBE_OK) code = check_url("function", o->function_url, error);
  if (code == PSPROBE_OK) code = check_url("prober", o->prober_url, error);
  return code == PSPROBE_OK ? check_times(o, error) : code;
}

psprobe_code psprobe_setup_new(const psprobe_setup_options *options, psprobe_setup **setup,
                               psprobe_error *error) {
  psprobe_setup_options o = {0};
  if (options != NULL) o = *options;
  if (o.topic == NULL) o.topic = "probes";
  if (o.interval_ns == 0) o.interval_ns = INTERVAL_NS;
  if (o.first_poll_ns == 0) o.first_poll_ns = FIRST_POLL_NS;
  psprobe_code code = check_options(&o, error);
  if (code != PSPROBE_OK) return code;
  psprobe_setup *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "setup");
  made->o = o;
  code = psprobe_client_new(&o.client, &made->client, error);
  if (code != PSPROBE_OK) {
    free(made);
    return code;
  }
  made->emulator = psp_client_is_emulator(made->client, PSP_PUBSUB);
  made->region_given = o.region != NULL;
  snprintf(made->region, sizeof made->region, "%s", o.region != NULL ? o.region : "europe-west1");
  psp_stopper_init(&made->stopper);
  pthread_mutex_init(&made->lock, NULL);
  psp_cond_init(&made->woken);
  *setup = made;
  return PSPROBE_OK;
}

void psprobe_setup_free(psprobe_setup *setup) {
  if (setup == NULL) return;
  psprobe_client_free(setup->client);
  psp_setup_forget(setup);
  pthread_cond_destroy(&setup->woken);
  pthread_mutex_destroy(&setup->lock);
  psp_stopper_destroy(&setup->stopper);
  free(setup);
}

/* A destroy does without. */
static psprobe_code check_cold(const psprobe_setup *setup, psprobe_error *error) {
  const psprobe_setup_options *o = &setup->o;
  if (setup->verb != PSPROBE_SETUP_APPLY || o->cold_every_ns == 0 ||
      (o->image != NULL && o->function_url == NULL))
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "cold-every: rare probes need functions of their own, which an image is for");
}

psprobe_code psprobe_setup_plan(psprobe_setup *setup, psprobe_setup_verb verb,
                                psprobe_error *error) {
  setup->verb = verb;
  setup->step_count = 0;
  psp_setup_forget(setup);
  psprobe_code code = check_cold(setup, error);
  if (code == PSPROBE_OK) code = psprobe_client_project(setup->client, &setup->project, error);
  if (code != PSPROBE_OK) return code;
  setup->advice.project = setup->project;
  psp_setup_list(setup);
  psprobe_error failure = {0};
  code = psp_setup_look(setup, &failure);
  if (code != PSPROBE_OK && error != NULL) *error = failure;
  if (code == PSPROBE_OK) psp_setup_steps(setup);
  return code;
}

size_t psprobe_setup_count(const psprobe_setup *setup) {
  return setup->step_count;
}

bool psprobe_setup_get(const psprobe_setup *setup, size_t index, psprobe_setup_step *step) {
  if (index >= setup->step_count) return false;
  const psp_step *s = &setup->steps[index];
  *step = (psprobe_setup_step){.action = s->action,
                               .state = s->state,
                               .kind = s->thing->kind->word,
                               .name = s->thing->name,
                               .text = s->text};
  return true;
}

static bool changes(const psp_step *step) {
  return step->action >= PSPROBE_SETUP_CREATE && step->action <= PSPROBE_SETUP_DELETE;
}

size_t psprobe_setup_changes(const psprobe_setup *setup) {
  size_t count = 0;
  for (size_t i = 0; i < setup->step_count; i++)
    count += changes(&setup->steps[i]);
  return count;
}

static psprobe_code check_refused(const psprobe_setup *setup, psprobe_error *error) {
  for (size_t i = 0; i < setup->step_count; i++) {
    const psp_step *s = &setup->steps[i];
    if (s->action == PSPROBE_SETUP_REFUSE)
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s %s %s", s->thing->kind->word,
                      s->thing->name, s->text);
  }
  return PSPROBE_OK;
}

static void tell(psprobe_setup *setup, size_t index, psprobe_setup_state state,
                 psprobe_setup_each *each, void *arg) {
  psprobe_setup_step step;
  setup->steps[index].state = state;
  if (each != NULL && psprobe_setup_get(setup, index, &step)) each(arg, &step);
}

psprobe_code psprobe_setup_run(psprobe_setup *setup, psprobe_setup_each *each, void *arg,
                               psprobe_error *error) {
  psprobe_code code = check_refused(setup, error);
  for (size_t i = 0; code == PSPROBE_OK && i < setup->step_count; i++) {
    if (!changes(&setup->steps[i])) continue;
    tell(setup, i, PSPROBE_SETUP_RUNNING, each, arg);
    psprobe_error failure = {0};
    code = psp_setup_change(setup, &setup->steps[i], &failure);
    if (code != PSPROBE_OK && error != NULL) *error = failure;
    tell(setup, i, code == PSPROBE_OK ? PSPROBE_SETUP_DONE : PSPROBE_SETUP_FAILED, each, arg);
  }
  return code;
}

void psprobe_setup_stop(psprobe_setup *setup) {
  pthread_mutex_lock(&setup->lock);
  setup->stopped = true;
  pthread_cond_broadcast(&setup->woken);
  pthread_mutex_unlock(&setup->lock);
  psp_stopper_stop(&setup->stopper);
}

void psprobe_setup_progress(void *setup, char *line, size_t size) {
  psprobe_setup *s = setup;
  pthread_mutex_lock(&s->lock);
  double seconds = (double)(psprobe_clock_monotonic() - s->since_ns) / 1e9;
  if (s->now[0] != 0) snprintf(line, size, "%s, %.0f s", s->now, seconds);
  pthread_mutex_unlock(&s->lock);
}

const char *psprobe_setup_mend(const psprobe_setup *setup, size_t index) {
  return index < setup->advice.mend_count ? setup->advice.mend[index] : NULL;
}

size_t psprobe_setup_subscriptions(const psprobe_setup *setup, bool push, const char **names,
                                   size_t room) {
  size_t count = 0;
  for (size_t i = 0; i < setup->count && count < room; i++) {
    const psp_thing *t = &setup->things[i];
    if (t->wanted && t->kind == &psp_kind_subscription && psp_setup_pushes(t->source) == push)
      names[count++] = t->name;
  }
  return count;
}
