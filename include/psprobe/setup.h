/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_SETUP_H
#define PSPROBE_SETUP_H
/**
 * @file
 * Makes on a project all that the experiment needs, and takes it away again: APIs, database, topic,
 * subscriptions, service accounts and what they may do, Cloud Run services and worker pools, an
 * Eventarc trigger. What is made bears a label (where there are none, a description); what does not
 * bear it is never changed. No key is ever made. docs/deploy.md walks through it.
 *
 * Unless a function says otherwise:
 * Ownership: what is passed in is borrowed for the call; what is returned belongs to the object.
 * Threading: one thread at a time for each object.
 * Blocks: not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/client.h>
#include <psprobe/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The label that everything bears. Its value is the topic's id. */
#define PSPROBE_SETUP_LABEL "psprobe"

/** What is wanted; valid when zeroed. All borrowed until psprobe_setup_free. */
typedef struct psprobe_setup_options {
  /** Project and endpoints. With a Pub/Sub emulator only topic and subscriptions are made: the
   * emulators have nothing of the rest. */
  psprobe_client_options client;
  const char *topic;  /**< its id, which all names begin with, 3 to 12 characters; NULL: "probes" */
  const char *region; /**< NULL: the one that the topic says, else "europe-west1" */
  const char *image;  /**< of the programs, for Cloud Run; NULL: no services are made */
  /** Where a function that runs elsewhere takes pushes, in place of the services of `image`. NULL:
   * none; without an image the push subscriptions are left out then. */
  const char *function_url;
  /** Where responders reach a prober that runs elsewhere; NULL: with an image one is made. */
  const char *prober_url;
  bool all;            /**< the six sources of the experiment, not the two */
  bool enable_apis;    /**< turn on those that are off */
  int64_t interval_ns; /**< from probe to probe; 0: 5 s */
  /** From one rare probe, which is to find functions asleep, to the next: they get a topic and
   * functions of their own, and so an image. 0: none. */
  int64_t cold_every_ns;
  int64_t first_poll_ns; /**< until an operation is looked at first; 0: 250 ms */
} psprobe_setup_options;

typedef enum psprobe_setup_verb {
  PSPROBE_SETUP_APPLY = 0,
  PSPROBE_SETUP_DESTROY
} psprobe_setup_verb;

typedef enum psprobe_setup_action {
  PSPROBE_SETUP_UNCHANGED = 0,
  PSPROBE_SETUP_CREATE,
  PSPROBE_SETUP_UPDATE,
  PSPROBE_SETUP_REPLACE, /**< deleted, then made anew: what differs cannot be changed */
  PSPROBE_SETUP_DELETE,
  PSPROBE_SETUP_KEEP,  /**< a destroy leaves it, and why */
  PSPROBE_SETUP_REFUSE /**< stands in the way of an apply, and why */
} psprobe_setup_action;

typedef enum psprobe_setup_state {
  PSPROBE_SETUP_PLANNED = 0,
  PSPROBE_SETUP_RUNNING,
  PSPROBE_SETUP_DONE,
  PSPROBE_SETUP_FAILED
} psprobe_setup_state;

/** One thing, and what is done with it. */
typedef struct psprobe_setup_step {
  psprobe_setup_action action;
  psprobe_setup_state state;
  const char *kind; /**< "topic", "Cloud Run service", … */
  const char *name; /**< "probes-cloud-function" */
  const char *text; /**< one line for people: what it is for, or why not */
} psprobe_setup_step;

typedef struct psprobe_setup psprobe_setup;

/**
 * Makes one. No network is touched.
 * @param options may be NULL: all defaults
 * @param setup   receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT: an option that cannot be (named); RESOURCE_EXHAUSTED:
 *         memory, threads
 * Ownership: free with psprobe_setup_free.
 */
PSPROBE_API psprobe_code psprobe_setup_new(const psprobe_setup_options *options,
                                           psprobe_setup **setup, psprobe_error *error);
/** Frees; NULL is fine. */
PSPROBE_API void psprobe_setup_free(psprobe_setup *setup);

/**
 * Looks at what is there, changes nothing, and says what would be done.
 * @param verb to what end
 * @return PSPROBE_OK, also when something is refused (a step says so); INVALID_ARGUMENT: an apply
 *         with `cold_every_ns` and no image, or a function elsewhere; FAILED_PRECONDITION: no
 *         project is named, or the topic says another region; PERMISSION_DENIED, NOT_FOUND and any
 *         other code of Google's, with what mends it; CANCELLED: psprobe_setup_stop;
 *         RESOURCE_EXHAUSTED: memory
 * Blocks: for the calls, one for each thing.
 */
PSPROBE_API psprobe_code psprobe_setup_plan(psprobe_setup *setup, psprobe_setup_verb verb,
                                            psprobe_error *error);

/**
 * The steps of the plan, in their order.
 * @return how many
 */
PSPROBE_API size_t psprobe_setup_count(const psprobe_setup *setup);
/**
 * One of them.
 * @param index from 0
 * @param step  receives it
 * @return whether there is one
 */
PSPROBE_API bool psprobe_setup_get(const psprobe_setup *setup, size_t index,
                                   psprobe_setup_step *step);
/**
 * Those that change something.
 * @return how many
 */
PSPROBE_API size_t psprobe_setup_changes(const psprobe_setup *setup);

/** Hears of each step as it begins and as it ends, on the thread of psprobe_setup_run. */
typedef void psprobe_setup_each(void *arg, const psprobe_setup_step *step);

/**
 * Does what was planned, step by step, and stops at the first that fails: a plan and a run later go
 * on from there.
 * @param each may be NULL
 * @return PSPROBE_OK; FAILED_PRECONDITION: a step is refused, nothing was done; any code of
 *         Google's, with what mends it; CANCELLED: psprobe_setup_stop; RESOURCE_EXHAUSTED: memory
 * Blocks: for minutes, where Google takes them.
 */
PSPROBE_API psprobe_code psprobe_setup_run(psprobe_setup *setup, psprobe_setup_each *each,
                                           void *arg, psprobe_error *error);
/**
 * Ends a plan or a run that is under way, with CANCELLED.
 * Threading: any thread.
 */
PSPROBE_API void psprobe_setup_stop(psprobe_setup *setup);

/**
 * What is being done just now, for a progress line.
 * @param setup the setup
 * @param line, size  receives it
 * Threading: any thread.
 */
PSPROBE_API void psprobe_setup_progress(void *setup, char *line, size_t size);

/**
 * After a failure: a shell command that mends it.
 * @param index from 0, in their order
 * @return the command; NULL: there is none, or no more
 */
PSPROBE_API const char *psprobe_setup_mend(const psprobe_setup *setup, size_t index);

/**
 * The plan, for people.
 * @return the text; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_setup_text(const psprobe_setup *setup);
/**
 * What the planned costs a day, in figures, and where they come from.
 * @return the text; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_setup_cost(const psprobe_setup *setup);
/**
 * What is left to do by hand after an apply, as shell commands with a word on each.
 * @return the text, which may be empty; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_setup_next(const psprobe_setup *setup);
/**
 * All of it as JSON, in the schema of docs/deploy.md.
 * @param failure what a plan or a run failed with; NULL: it did not
 * @return the text; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_setup_json(const psprobe_setup *setup, const psprobe_error *failure);

/**
 * Subscriptions of the plan that are there after an apply, for the doctor.
 * @param push those that push; false: those that are pulled
 * @param names, room receives them
 * @return how many
 */
PSPROBE_API size_t psprobe_setup_subscriptions(const psprobe_setup *setup, bool push,
                                               const char **names, size_t room);

#ifdef __cplusplus
}
#endif
#endif
