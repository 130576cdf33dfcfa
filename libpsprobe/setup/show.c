/* SPDX-License-Identifier: MIT */
/** @file A setup in words, and as JSON in the schema of docs/deploy.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

#define SETUP_SCHEMA 1
#define PRICES_OF    "November 2026"

char *psprobe_setup_text(const psprobe_setup *setup) {
  psp_buf out = {0};
  psp_buf_printf(&out, "%s %s%s%s:\n",
                 setup->verb == PSPROBE_SETUP_APPLY ? "Apply to project" : "Destroy in project",
                 setup->project, setup->emulator ? ", on emulators" : ", region ",
                 setup->emulator ? "" : setup->region);
  for (size_t i = 0; i < setup->step_count; i++) {
    const psp_step *s = &setup->steps[i];
    psp_buf_printf(&out, "  %-9s  %s %s  (%s)\n", psp_setup_action_word(s->action),
                   s->thing->kind->word, s->thing->name, s->text);
  }
  if (setup->step_count == 0) psp_buf_text(&out, "  nothing of it is there\n");
  return psp_buf_take(&out, NULL);
}

static void put_sum(const psprobe_setup *setup, double sum, psp_buf *out) {
  psp_buf_printf(out, "  %8.2f  in all, one probe each %.3g s", sum,
                 (double)setup->o.interval_ns / 1e9);
  if (setup->o.cold_every_ns > 0)
    psp_buf_printf(out, " and a rare one each %.4g s", (double)setup->o.cold_every_ns / 1e9);
  psp_buf_text(out, ", a region of the first price tier\nPrices as of " PRICES_OF
                    ", before Cloud Run's free tier, a worker pool at a service's price:\n");
}

char *psprobe_setup_cost(const psprobe_setup *setup) {
  psp_cost costs[PSP_COSTS];
  psp_buf out = {0};
  double sum = 0;
  size_t count = setup->emulator ? 0 : psp_setup_costs(setup, costs);
  if (count == 0) psp_buf_text(&out, "Emulators cost nothing.\n");
  if (count > 0) psp_buf_text(&out, "What it costs a day, at most, in US dollars:\n");
  for (size_t i = 0; i < count; i++) {
    const psp_thing *t = costs[i].thing;
    psp_buf_printf(&out, "  %8.2f  %s%s%s\n", costs[i].dollars, t != NULL ? t->name : "",
                   t != NULL ? ": " : "", costs[i].what);
    sum += costs[i].dollars;
  }
  if (count > 0) put_sum(setup, sum, &out);
  for (size_t i = 0; count > 0 && psp_setup_prices[i] != NULL; i++)
    psp_buf_printf(&out, "  %s\n", psp_setup_prices[i]);
  return psp_buf_take(&out, NULL);
}

/* ---- what is left to do by hand ---- */

static void put_here(const psprobe_setup *setup, psp_buf *out) {
  size_t count;
  const psp_setup_source *sources = psp_setup_sources(setup, &count);
  psp_buf_printf(
      out, "The prober, where others reach it%s%s:\n  psprobe-prober --project %s --topic %s",
      setup->o.prober_url != NULL ? " at " : "",
      setup->o.prober_url != NULL ? setup->o.prober_url : "", setup->project, setup->o.topic);
  for (size_t i = 0; i < count; i++)
    psp_buf_printf(out, " --source %s", sources[i].source);
  if (setup->o.cold_every_ns > 0)
    psp_buf_printf(out, " --cold-topic %s" PSP_SETUP_COLD " --cold-every %llds", setup->o.topic,
                   (long long)(setup->o.cold_every_ns / PSP_SECOND_NS));
  if (!setup->emulator) {
    for (size_t i = 0; i < count; i++) {
      psp_thing account = {.kind = &psp_kind_account};
      snprintf(account.name, sizeof account.name, "%s%s", setup->o.topic, sources[i].suffix);
      psp_buf_text(out, " --require-oidc ");
      psp_setup_email(setup, &account, out);
    }
    psp_buf_printf(out, " --audience %s",
                   setup->o.prober_url != NULL ? setup->o.prober_url : "URL");
  }
  psp_buf_char(out, '\n');
}

/* A subscriber that runs on a machine that is not ours to make. */
static void put_subscriber(const psprobe_setup *setup, const psp_setup_source *source, bool cold,
                           const char *prober, psp_buf *out) {
  char subscription[64];
  psp_setup_suffix(source, cold, subscription, sizeof subscription);
  psp_buf_printf(out, "%s%s, on a machine of its own%s%s%s:\n", source->source,
                 cold ? " for the rare probes" : "", setup->emulator ? "" : " as account ",
                 setup->emulator ? "" : setup->o.topic, setup->emulator ? "" : source->suffix);
  psp_buf_printf(
      out, "  psprobe-subscriber --project %s --subscription %s%s --source %s --prober %s%s%s\n",
      setup->project, setup->o.topic, subscription, source->source, prober,
      source->mode != NULL ? " --mode " : "", source->mode != NULL ? source->mode : "");
}

static void put_elsewhere(const psprobe_setup *setup, psp_buf *out) {
  size_t count;
  const psp_setup_source *sources = psp_setup_sources(setup, &count);
  psp_buf prober = {0};
  psp_setup_prober(setup, &prober);
  for (size_t i = 0; i < count; i++) {
    bool pulls = sources[i].way == PSP_WAY_PULL || sources[i].way == PSP_WAY_ELSEWHERE;
    bool made = sources[i].way == PSP_WAY_PULL && setup->o.image != NULL && !setup->emulator;
    if (!pulls || made) continue;
    for (int cold = 0; cold <= (setup->o.cold_every_ns > 0); cold++)
      put_subscriber(setup, &sources[i], cold, prober.data != NULL ? prober.data : "URL", out);
  }
  if (prober.failed) out->failed = true;
  psp_buf_free(&prober);
}

char *psprobe_setup_next(const psprobe_setup *setup) {
  psp_buf out = {0};
  psp_buf_text(&out, "");
  put_elsewhere(setup, &out);
  if (setup->o.image == NULL || setup->o.prober_url != NULL || setup->emulator)
    put_here(setup, &out);
  else
    psp_buf_printf(&out,
                   "Watch the prober:\n  gcloud run services logs tail %s-prober --region=%s "
                   "--project=%s\n",
                   setup->o.topic, setup->region, setup->project);
  return psp_buf_take(&out, NULL);
}

/* ---- JSON ---- */

static void put_steps(const psprobe_setup *setup, psp_json_writer *w) {
  static const char *const states[] = {"planned", "running", "done", "failed"};
  psp_json_begin_array_member(w, "steps");
  for (size_t i = 0; i < setup->step_count; i++) {
    const psp_step *s = &setup->steps[i];
    psp_json_begin_object(w);
    psp_json_put_member(w, "action", psp_setup_action_word(s->action));
    psp_json_put_member(w, "state", states[s->state]);
    psp_json_put_member(w, "kind", s->thing->kind->word);
    psp_json_put_member(w, "name", s->thing->name);
    psp_json_put_member(w, "text", s->text);
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
}

static void put_costs(const psprobe_setup *setup, psp_json_writer *w) {
  psp_cost costs[PSP_COSTS];
  double sum = 0;
  size_t count = setup->emulator ? 0 : psp_setup_costs(setup, costs);
  psp_json_begin_object_member(w, "cost");
  psp_json_put_member(w, "currency", "USD");
  psp_json_put_member(w, "prices_of", PRICES_OF);
  psp_json_begin_array_member(w, "items");
  for (size_t i = 0; i < count; i++) {
    psp_json_begin_object(w);
    psp_json_put_member(w, "name", costs[i].thing != NULL ? costs[i].thing->name : NULL);
    psp_json_put_member(w, "text", costs[i].what);
    psp_json_put_key(w, "per_day");
    psp_json_put_double(w, costs[i].dollars);
    psp_json_end_object(w);
    sum += costs[i].dollars;
  }
  psp_json_end_array(w);
  psp_json_put_key(w, "per_day");
  psp_json_put_double(w, sum);
  psp_json_begin_array_member(w, "sources");
  for (size_t i = 0; psp_setup_prices[i] != NULL; i++)
    psp_json_put_string(w, psp_setup_prices[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void put_failure(const psprobe_setup *setup, const psprobe_error *failure,
                        psp_json_writer *w) {
  psp_json_put_key(w, "error");
  if (failure == NULL) {
    psp_json_put_null(w);
  } else {
    psp_json_begin_object(w);
    psp_json_put_member(w, "code", psprobe_code_name(failure->code));
    psp_json_put_member(w, "message", failure->message);
    psp_json_end_object(w);
  }
  psp_json_begin_array_member(w, "mend");
  for (size_t i = 0; psprobe_setup_mend(setup, i) != NULL; i++)
    psp_json_put_string(w, psprobe_setup_mend(setup, i));
  psp_json_end_array(w);
}

char *psprobe_setup_json(const psprobe_setup *setup, const psprobe_error *failure) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "schema", SETUP_SCHEMA);
  psp_json_put_member(&w, "version", PSPROBE_VERSION);
  psp_json_put_member(&w, "verb", setup->verb == PSPROBE_SETUP_APPLY ? "apply" : "destroy");
  psp_json_put_member(&w, "project", setup->project);
  psp_json_put_member(&w, "region", setup->region);
  psp_json_put_member(&w, "topic", setup->o.topic);
  put_steps(setup, &w);
  if (setup->verb == PSPROBE_SETUP_APPLY) put_costs(setup, &w);
  put_failure(setup, failure, &w);
  psp_json_end_object(&w);
  return psp_buf_take(&out, NULL);
}
