/* SPDX-License-Identifier: MIT */
/** @file What the experiment consists of: every thing by its name, in the order of making. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "setup/parts.h"

static psp_thing *add(psprobe_setup *setup, const psp_kind *kind, const char *suffix,
                      const char *use) {
  psp_thing *thing = &setup->things[setup->count++];
  memset(thing, 0, sizeof *thing);
  thing->kind = kind;
  thing->use = use;
  thing->wanted = true;
  snprintf(thing->name, sizeof thing->name, "%s%s", setup->o.topic, suffix);
  return thing;
}

static psp_thing *add_of(psprobe_setup *setup, const psp_kind *kind, const psp_setup_source *source,
                         bool cold, const char *use) {
  char suffix[64];
  psp_setup_suffix(source, cold, suffix, sizeof suffix);
  psp_thing *thing = add(setup, kind, suffix, use);
  size_t count;
  const psp_setup_source *sources = psp_setup_sources(setup, &count);
  thing->source = source;
  thing->cold = cold;
  thing->wanted = source >= sources && source < sources + count;
  if (cold && setup->o.cold_every_ns == 0) thing->wanted = false;
  return thing;
}

static psp_thing *add_grants(psprobe_setup *setup, psp_thing *on, const char *use) {
  psp_thing *grants = add(setup, &psp_kind_grants, "", use);
  snprintf(grants->name, sizeof grants->name, "%s", on != NULL ? on->name : setup->project);
  grants->on = on;
  if (on != NULL) {
    grants->source = on->source;
    grants->wanted = on->wanted;
  }
  return grants;
}

static void give(psp_thing *grants, const char *role, const psp_thing *account) {
  if (grants->grant_count < PSP_SETUP_GRANTS)
    grants->grants[grants->grant_count++] = (psp_grant){role, account};
}

static const psp_thing *account_of(const psprobe_setup *setup, const char *suffix) {
  char name[96];
  snprintf(name, sizeof name, "%s%s", setup->o.topic, suffix);
  return psp_setup_find(setup, &psp_kind_account, name);
}

typedef void each_source(psprobe_setup *setup, const psp_setup_source *source, bool cold);

/* Those of both ways to run it: what an apply with --all made, a plain destroy takes away. Rare
 * probes have functions and services of their own, since the others' probes would keep these warm.
 */
static void for_each_source(psprobe_setup *setup, each_source *each) {
  for (int cold = 0; cold <= 1; cold++) {
    for (size_t i = 0; i < PSP_SETUP_TWO; i++)
      each(setup, &psp_setup_two[i], cold);
    for (size_t i = 0; i < PSP_SETUP_SIX; i++)
      each(setup, &psp_setup_six[i], cold);
  }
}

static void add_api(psprobe_setup *setup, psp_service service, bool wanted, const char *use) {
  psp_thing *api = add(setup, &psp_kind_api, "", use);
  snprintf(api->name, sizeof api->name, "%s", psp_services[service].host);
  api->wanted = wanted;
}

static void add_apis(psprobe_setup *setup) {
  bool image = setup->o.image != NULL;
  add_api(setup, PSP_PUBSUB, true, "topic and subscriptions");
  add_api(setup, PSP_FIRESTORE, true, "the results");
  add_api(setup, PSP_IAM, true, "service accounts");
  add_api(setup, PSP_RESOURCE_MANAGER, true, "what the prober may do in the project");
  add_api(setup, PSP_CLOUD_RUN, image, "functions, worker pools, the prober");
  add_api(setup, PSP_EVENTARC, image && setup->o.all, "function_eventarc");
}

/* A source is one account, however many it runs as. */
static void add_account(psprobe_setup *setup, const psp_setup_source *source, bool cold) {
  if (!cold) add_of(setup, &psp_kind_account, source, false, source->source);
}

/* The function and who may call it. */
static void add_service(psprobe_setup *setup, const psp_setup_source *source, bool cold) {
  if (source->way != PSP_WAY_PUSH && source->way != PSP_WAY_EVENTARC) return;
  psp_thing *service = add_of(setup, &psp_kind_service, source, cold,
                              source->kept > 0 ? "one instance is kept" : "scales to zero");
  service->wanted = service->wanted && setup->o.image != NULL && setup->o.function_url == NULL;
  service->account = account_of(setup, source->suffix);
  give(add_grants(setup, service, "who may call it: the pushes alone"), "roles/run.invoker",
       account_of(setup, "-push"));
}

static void add_subscription(psprobe_setup *setup, const psp_setup_source *source, bool cold) {
  if (source->way == PSP_WAY_EVENTARC) return; /* the trigger makes one of its own */
  bool push = psp_setup_pushes(source);
  psp_thing *made =
      add_of(setup, &psp_kind_subscription, source, cold, push ? "pushes" : "is pulled");
  if (push && setup->o.image == NULL && setup->o.function_url == NULL) made->wanted = false;
  if (push || setup->emulator) return;
  give(add_grants(setup, made, "who may pull it"), "roles/pubsub.subscriber",
       account_of(setup, source->suffix));
}

static void add_pool(psprobe_setup *setup, const psp_setup_source *source, bool cold) {
  if (source->way != PSP_WAY_PULL) return;
  psp_thing *pool = add_of(setup, &psp_kind_pool, source, cold, "one instance, pulls all the time");
  pool->wanted = pool->wanted && setup->o.image != NULL;
  pool->account = account_of(setup, source->suffix);
}

static void add_trigger(psprobe_setup *setup, const psp_setup_source *source, bool cold) {
  if (source->way != PSP_WAY_EVENTARC) return;
  psp_thing *trigger =
      add_of(setup, &psp_kind_trigger, source, cold, "from the topic to the function");
  trigger->wanted = trigger->wanted && setup->o.image != NULL && setup->o.function_url == NULL;
  trigger->account = account_of(setup, "-push");
}

static void add_prober(psprobe_setup *setup) {
  size_t count;
  const psp_setup_source *sources = psp_setup_sources(setup, &count);
  psp_thing *prober = add(setup, &psp_kind_service, "-prober", "one instance is kept");
  prober->account = account_of(setup, "-prober");
  prober->wanted = setup->o.image != NULL && setup->o.prober_url == NULL;
  psp_thing *grants = add_grants(setup, prober, "who may call it: the responders alone");
  for (size_t i = 0; i < count; i++)
    give(grants, "roles/run.invoker", account_of(setup, sources[i].suffix));
}

static void add_project_grants(psprobe_setup *setup) {
  psp_thing *grants = add_grants(setup, NULL, "writes results (prober); takes events (trigger)");
  give(grants, "roles/datastore.user", account_of(setup, "-prober"));
  if (setup->verb == PSPROBE_SETUP_DESTROY || (setup->o.all && setup->o.image != NULL))
    give(grants, "roles/eventarc.eventReceiver", account_of(setup, "-push"));
}

static void add_topics(psprobe_setup *setup) {
  add(setup, &psp_kind_topic, "", "the prober publishes to it");
  psp_thing *rare =
      add(setup, &psp_kind_topic, PSP_SETUP_COLD, "rare probes, which find all asleep");
  rare->cold = true;
  rare->wanted = setup->o.cold_every_ns > 0;
}

/* Who publishes to either topic. */
static void add_topic_grants(psprobe_setup *setup) {
  for (size_t i = 0, count = setup->count; i < count; i++) {
    psp_thing *topic = &setup->things[i];
    if (topic->kind != &psp_kind_topic) continue;
    give(add_grants(setup, topic, "who may publish"), "roles/pubsub.publisher",
         account_of(setup, "-prober"));
  }
}

void psp_setup_list(psprobe_setup *setup) {
  setup->count = 0;
  if (!setup->emulator) {
    add_apis(setup);
    snprintf(add(setup, &psp_kind_database, "", "the results")->name, 96, "%s",
             psp_client_database(setup->client));
  }
  add_topics(setup);
  if (setup->emulator) {
    for_each_source(setup, add_subscription);
    return;
  }
  add(setup, &psp_kind_account, "-prober", "the prober");
  add(setup, &psp_kind_account, "-push", "in whose name pushes are made");
  for_each_source(setup, add_account);
  add_project_grants(setup);
  add_topic_grants(setup);
  for_each_source(setup, add_service);
  for_each_source(setup, add_subscription);
  for_each_source(setup, add_pool);
  for_each_source(setup, add_trigger);
  add_prober(setup);
}
