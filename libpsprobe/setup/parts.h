/* SPDX-License-Identifier: MIT */
#ifndef PSP_SETUP_PARTS_H
#define PSP_SETUP_PARTS_H
/** @file What the files of this floor share: kinds of things, things, steps, and the run. */
#include <psprobe/setup.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/json.h"
#include "client/call.h"
#include "doctor/parts.h"

#define PSP_SETUP_COLD         "-cold" /* of what rare probes are for */
#define PSP_SETUP_REGION_LABEL "psprobe-region"
#define PSP_SETUP_THINGS       96
#define PSP_SETUP_GRANTS       8

typedef struct psp_thing psp_thing;

/** How a source gets its messages. */
typedef enum psp_setup_way {
  PSP_WAY_PUSH,     /**< a Cloud Run service that the topic pushes to */
  PSP_WAY_EVENTARC, /**< the same behind a trigger */
  PSP_WAY_PULL,     /**< a worker pool of one */
  PSP_WAY_ELSEWHERE /**< pulls on a machine that is not ours to make */
} psp_setup_way;

/** A source of the experiment. */
typedef struct psp_setup_source {
  const char *source; /**< "cloud_function" */
  const char *suffix; /**< "-cloud-function": names are the topic's and this */
  psp_setup_way way;
  int kept;          /**< instances that never go */
  const char *mode;  /**< of --mode; NULL: its default, which is streaming */
  const char *pulls; /**< of --pulls; NULL: its default */
} psp_setup_source;

/** The two of a run as a rule, and the six of --all. */
extern const psp_setup_source psp_setup_two[], psp_setup_six[];
#define PSP_SETUP_TWO 2
#define PSP_SETUP_SIX 6

/** A role of an account, in the policy of a thing or of the project. */
typedef struct psp_grant {
  const char *role;
  const psp_thing *account;
} psp_grant;

/** A kind of things: how one is read, compared, made, changed and deleted. */
typedef struct psp_kind {
  const char *word; /**< "topic" */
  psp_service service;
  const char
      *permissions; /**< "pubsub.topics": its permissions are that and ".get", ".create", … */
  const char *role; /**< that has them */
  const char *list, *id; /**< of one in a region: "services", "serviceId"; else NULL */
  /** Adds its own path, "/v1/projects/…". */
  void (*path)(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out);
  /** Adds the path that it is made at by POST; NULL: by PUT at its own. */
  void (*made_at)(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out);
  /** Writes what it is to be, as it is made. NULL: an empty object. */
  void (*body)(const psprobe_setup *setup, const psp_thing *thing, psp_json_writer *w);
  /** Why it is not ours; NULL: it is. NULL itself: whatever is there will do. */
  const char *(*strange)(const psprobe_setup *setup, const psp_json *seen);
  /** Whether what is there has all that body says; NULL: nothing of it could be changed. */
  bool (*same)(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen);
  const char *fixed;     /**< the member that only a new one can have otherwise; NULL: none */
  const char *mask;      /**< of a PATCH, "a,b"; NULL: the body is all of it */
  const char *wrapped;   /**< PATCH has the body and the mask in an object, under that name */
  const char *operation; /**< what operations' paths begin with, "/v2/"; NULL: done at once */
  bool policy;           /**< it is no resource, but who may do what with one */
  bool kept;             /**< a destroy leaves it */
  const char *why_kept;
  /** In place of the general ways (things that are no resources); NULL: those. */
  psprobe_code (*read)(psprobe_setup *setup, psp_thing *thing, psprobe_error *error);
  psprobe_code (*change)(psprobe_setup *setup, psp_thing *thing, bool take_away,
                         psprobe_error *error);
} psp_kind;

typedef enum psp_seen {
  PSP_SEEN_NOT,    /**< not looked */
  PSP_SEEN_ABSENT, /**< it is not there */
  PSP_SEEN_PART,   /**< ours, and not as it is to be */
  PSP_SEEN_OLD,    /**< ours, and can only be made anew */
  PSP_SEEN_SAME,   /**< as it is to be */
  PSP_SEEN_STRANGE /**< somebody else's */
} psp_seen;

struct psp_thing {
  const psp_kind *kind;
  char name[96];                  /**< its id */
  const char *use;                /**< what for, in words */
  const psp_setup_source *source; /**< NULL: of the whole experiment */
  const psp_thing *account;       /**< whom it runs as */
  const psp_thing *on;            /**< of grants: whose policy; NULL: the project's */
  psp_grant grants[PSP_SETUP_GRANTS];
  size_t grant_count;
  bool cold;   /**< of the rare probes' topic, or subscribed to it */
  bool wanted; /**< by this apply; else a destroy alone looks at it */
  psp_seen seen;
  const char *why; /**< it is strange */
};

typedef struct psp_step {
  psp_thing *thing;
  psprobe_setup_action action;
  psprobe_setup_state state;
  char text[200];
} psp_step;

struct psprobe_setup {
  psprobe_setup_options o; /**< defaults filled in */
  psprobe_client *client;
  const char *project;
  char number[24]; /**< the project's; "" while it is not known */
  char region[64];
  bool region_given;
  bool emulator;
  psprobe_setup_verb verb;
  psp_thing things[PSP_SETUP_THINGS]; /**< in the order in which they are made */
  size_t count;
  psp_step steps[PSP_SETUP_THINGS];
  size_t step_count;
  psp_doctor advice; /**< who we are, and the commands that mend a failure */
  char account_member[300];
  int64_t enabled_ns[PSP_SERVICE_COUNT]; /**< when an API was turned on; 0: not by us */
  int64_t account_ns;                    /**< when an account was made last; 0: not by us */

  psp_stopper stopper;
  pthread_mutex_t lock; /**< guards what follows */
  pthread_cond_t woken;
  bool stopped;
  char now[160]; /**< what is being done */
  int64_t since_ns;
};

/* ---- kinds ---- */
extern const psp_kind psp_kind_api, psp_kind_database, psp_kind_topic, psp_kind_subscription,
    psp_kind_account, psp_kind_grants, psp_kind_service, psp_kind_pool, psp_kind_trigger;

/* ---- names (names.c): pure ---- */

/** "https://NAME-NUMBER.REGION.run.app", added. */
void psp_setup_run_url(const psprobe_setup *setup, const char *name, psp_buf *out);
/** "NAME@PROJECT.iam.gserviceaccount.com", added. */
void psp_setup_email(const psprobe_setup *setup, const psp_thing *account, psp_buf *out);
/** Where responders reach the prober, added; nothing: nobody knows. */
void psp_setup_prober(const psprobe_setup *setup, psp_buf *out);
const psp_thing *psp_setup_find(const psprobe_setup *setup, const psp_kind *kind, const char *name);
const psp_setup_source *psp_setup_sources(const psprobe_setup *setup, size_t *count);
/** "-cloud-function", or "-cloud-function-cold". */
void psp_setup_suffix(const psp_setup_source *source, bool cold, char *out, size_t size);
/** The topic's id, or that of the rare probes, added. */
void psp_setup_topic(const psprobe_setup *setup, bool cold, psp_buf *out);
bool psp_setup_pushes(const psp_setup_source *source);
/** Whose API a thing is of; of grants: that of what they are on. */
psp_service psp_setup_service(const psp_thing *thing);
/** "run.services", and the role that has its permissions. */
const char *psp_setup_permissions(const psp_thing *thing, const char **role);

/* ---- things (wanted.c): pure ---- */

/** Lists all that an apply makes and a destroy may find. */
void psp_setup_list(psprobe_setup *setup);

/* ---- the plan (plan.c): pure ---- */

/** Puts the steps of `setup->verb` for what was seen. */
void psp_setup_steps(psprobe_setup *setup);
const char *psp_setup_action_word(psprobe_setup_action action);

/* ---- labels and bodies (body.c): pure ---- */
/** Everything in `wanted` is in `found`: objects by member, arrays by item; false, 0, "" and empty
 * ones also where there is nothing (proto3 leaves them out). */
bool psp_setup_has(const psp_json *found, const psp_json *wanted);
void psp_setup_put_labels(const psprobe_setup *setup, bool region, psp_json_writer *w);
/** psp_kind.strange of what bears labels. */
const char *psp_setup_strange(const psprobe_setup *setup, const psp_json *seen);
/** What it is to be, as it is made. */
void psp_setup_body(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out);
/** psp_kind.same by psp_setup_has of the body. */
bool psp_setup_same(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen);
/** Its fixed member is another. */
bool psp_setup_is_old(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen);

/* ---- policies (policy.c): pure ---- */

/** Whether the policy gives the role to the member, without a condition. */
bool psp_policy_has(const psp_json *policy, const char *role, const char *member);
/** A policy as setIamPolicy wants it, {"policy":…}: `policy` with the members added, or taken
 * away; everything else, and the etag, as it is. */
void psp_policy_body(const psp_json *policy, const psp_grant *grants, const char *const *members,
                     size_t count, bool take_away, psp_buf *body);

/* ---- calls (call.c) ---- */

/** One call; `answer` (may be NULL) receives its JSON, to psp_json_free. Waits for an API that was
 * turned on just now, and for an account that was made just now. */
psprobe_code psp_setup_call(psprobe_setup *setup, const psp_thing *thing, const char *method,
                            const char *path, const psp_buf *body, const char *what,
                            psp_json **answer, psprobe_error *error);
/** Waits for a long-running operation that `answer` is. */
psprobe_code psp_setup_await(psprobe_setup *setup, const psp_thing *thing, const psp_json *answer,
                             const char *what, psprobe_error *error);
/** Waits; false: it was stopped. */
bool psp_setup_pause(psprobe_setup *setup, int64_t ns);
psprobe_code psp_setup_fail_stopped(psprobe_error *error);
void psp_setup_tell(psprobe_setup *setup, const char *format, ...) PSPROBE_PRINTF(2, 3);

/* ---- looking and changing (look.c, change.c) ---- */
psprobe_code psp_setup_look(psprobe_setup *setup, psprobe_error *error);
psprobe_code psp_setup_look_at(psprobe_setup *setup, psp_thing *thing, psprobe_error *error);
psprobe_code psp_setup_change(psprobe_setup *setup, psp_step *step, psprobe_error *error);

/* ---- what a failure says (advice.c) ---- */
/** Puts what to do before the words of `error`, and keeps the commands that mend it.
 * @param verb "get", "create", "update", "delete", "setIamPolicy" */
void psp_setup_advise(psprobe_setup *setup, const psp_thing *thing, const char *verb,
                      psprobe_error *error);
void psp_setup_advise_api(psprobe_setup *setup, const psp_thing *api);
void psp_setup_forget(psprobe_setup *setup);

/* ---- cost (cost.c): pure ---- */
typedef struct psp_cost {
  const psp_thing *thing; /* NULL: Pub/Sub, Firestore */
  const char *what;
  double dollars; /* a day */
} psp_cost;
#define PSP_COSTS 16
size_t psp_setup_costs(const psprobe_setup *setup, psp_cost costs[PSP_COSTS]);
extern const char *const psp_setup_prices[];

#endif
