/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_ROW_H
#define PSP_RESULTS_COLUMNS_ROW_H
/** @file A probe on its way from one form to another, and the bounds of what is in it. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/results.h>

#include "results/store/further.h"
#include "stats/sample.h"

/** A result's publish_ns where a file of somebody else's does not have it. */
#define PSP_PUBLISH_UNKNOWN (-2)

/** The latest time, and the earliest with a minus, so that a difference of two holds: nanoseconds
 * since 1970 in the year 2115. */
#define PSP_COLUMN_TIME_MOST INT64_C(4600000000000000000)

/** Room for an id: ours, a UUID, or whatever else a file has, up to 63 bytes. */
#define PSP_COLUMN_ID_SIZE 64

/** A probe. All borrowed, until whoever is given it returns. */
typedef struct psp_row {
  const psprobe_run *run; /**< with its sources; the answers are in their order */
  const char *id;
  const psprobe_result *result;    /**< its id is not looked at */
  int64_t saved_wall_ns;           /**< 0: not told */
  const psp_further_list *further; /**< NULL: none */
} psp_row;
/** Takes a probe. @return false to end */
typedef bool psp_row_take(void *arg, const psp_row *row);

/** What no clock can have measured (a damaged file, somebody else's) is cut, so that sums and
 * differences hold. */
int64_t psp_duration_bound(int64_t ns);
/** The same for a time: 1824 to 2115, as it can be written and read back. */
int64_t psp_time_bound(int64_t ns);
/** Both, in an answer; of its facts those alone stay that are told (psprobe_facts). */
void psp_answer_bound(psprobe_answer *answer);
/** All of a result. */
void psp_result_bound(psprobe_result *result);
/** Whether an answer tells when it came by the run's clock, or any fact. */
bool psp_answer_tells(const psprobe_answer *answer);

/** A time as people write it, too: "2026-11-24 10:00:05z" (RFC 3339, 5.6: its T and Z may be lower
 * case, and a blank may part the date from the time). @return false: `why` says what it is not */
bool psp_row_parse_time(const char *text, int64_t *ns, const char **why);
/** A whole number, also as spreadsheets write one: "45000000.0", "4.5E+07". */
bool psp_row_parse_whole(const char *text, int64_t *value);
/** A duration; `min` is 0, or less for what a clock that was put back can have made of it. */
bool psp_row_parse_duration(const char *text, int64_t min, int64_t *ns, const char **why);

#endif
