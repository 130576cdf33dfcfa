/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_DOCTOR_H
#define PSPROBE_DOCTOR_H
/**
 * @file
 * Looks whether the experiment could run, explains, and changes nothing: credentials, APIs,
 * permissions, topic, subscriptions, database, clock, and the way to the prober.
 *
 * Unless a function says otherwise:
 * Ownership: what is passed in is borrowed until the function returns; what is returned belongs to
 * the object.
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

typedef enum psprobe_doctor_state {
  PSPROBE_DOCTOR_OK = 0,
  PSPROBE_DOCTOR_WARNING, /**< it works, or it may; somebody should know */
  PSPROBE_DOCTOR_FAILED,
  PSPROBE_DOCTOR_SKIPPED /**< not looked at, and why; or a place with nothing in it */
} psprobe_doctor_state;

/** What one check found. All borrowed. */
typedef struct psprobe_finding {
  const char *check;    /**< "topic.publish"; docs/doctor.md lists them */
  const char *resource; /**< the topic, file, URL, … that it is about; NULL: none */
  psprobe_doctor_state state;
  const char *text; /**< one line, without secrets */
  /** Shell commands that mend it, to run one after the other. */
  const char *const *mend;
  size_t mend_count;
} psprobe_finding;

/** Hears of each finding as soon as it is there, on the thread of psprobe_doctor_run. */
typedef void psprobe_doctor_each(void *arg, const psprobe_finding *finding);

/** What to look at; valid when zeroed. All borrowed until psprobe_doctor_run returns. */
typedef struct psprobe_doctor_options {
  /** Endpoints, project and all the rest as the programs have it. `credentials` are not looked
   * at: how they are found is the question. `timeout_ns` is how long one check may take; 0: 4 s. */
  psprobe_client_options client;
  const char *topic; /**< NULL: "probes" */
  /** Of pull subscriptions; NULL: "probes-regular-service". */
  const char *const *subscriptions;
  size_t subscription_count;
  /** Of push subscriptions; NULL: "probes-cloud-function". */
  const char *const *push_subscriptions;
  size_t push_subscription_count;
  const char *collection;       /**< NULL: "pubsub_results" */
  bool no_publish;              /**< this machine does not publish: it needs no permission to */
  bool no_consume;              /**< nor does it pull */
  bool no_firestore;            /**< results stay in a file */
  const char *prober;           /**< the prober's outside address, a URL; NULL: not looked at */
  const char *resource_manager; /**< base URL of the Resource Manager; NULL: Google's */
} psprobe_doctor_options;

/** All that one run found. */
typedef struct psprobe_diagnosis psprobe_diagnosis;

/**
 * Looks at everything once.
 * @param options   may be NULL: all defaults
 * @param each      may be NULL: nobody hears before the end
 * @param diagnosis receives the findings; untouched on failure
 * @return PSPROBE_OK, whatever was found; INVALID_ARGUMENT: an option that cannot be (named);
 *         RESOURCE_EXHAUSTED: memory
 * Ownership: the diagnosis is the caller's, to give to psprobe_diagnosis_free.
 * Blocks: at most about half a minute; each check a few seconds.
 */
PSPROBE_API psprobe_code psprobe_doctor_run(const psprobe_doctor_options *options,
                                            psprobe_doctor_each *each, void *arg,
                                            psprobe_diagnosis **diagnosis, psprobe_error *error);
/** Frees; NULL is fine. */
PSPROBE_API void psprobe_diagnosis_free(psprobe_diagnosis *diagnosis);
/**
 * Counts findings.
 * @param state those that are in it
 * @return how many
 */
PSPROBE_API size_t psprobe_diagnosis_count(const psprobe_diagnosis *diagnosis,
                                           psprobe_doctor_state state);
/**
 * All of it as JSON, in the schema of docs/doctor.md.
 * @return the text; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_diagnosis_json(const psprobe_diagnosis *diagnosis);

/**
 * A finding's line, and under it the commands that mend it.
 * @param color with a terminal's colours
 * @return the text, each line with a newline at its end; NULL: no memory
 * Ownership: the caller's, to free().
 */
PSPROBE_API char *psprobe_finding_text(const psprobe_finding *finding, bool color);
/**
 * A state's name.
 * @param state one of them
 * @return "ok", "warning", "failed", "skipped"
 * Threading: any thread.
 */
PSPROBE_API const char *psprobe_doctor_state_name(psprobe_doctor_state state);

#ifdef __cplusplus
}
#endif
#endif
