/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_MEMBERS_H
#define PSP_RESULTS_COLUMNS_MEMBERS_H
/** @file The members of an object that is a run, or a probe with its answers: lines of our own,
 * whose names are those of a table's columns. Pure. */
#include "base/json.h"
#include "results/columns/import.h"

/** What an object is. */
typedef enum psp_members_of {
  PSP_MEMBERS_FLAT, /**< a probe as a table has it */
  PSP_MEMBERS_RUN,
  PSP_MEMBERS_PROBE
} psp_members_of;
psp_members_of psp_members_kind(const psp_json *object);

/** A member's value as a cell's text: "" for null. @return false: neither text, whole number nor
 * null */
bool psp_members_text(const psp_json *value, psp_buf *out);

/** Reads a run, with its sources, into a copy (zeroed). `where` names the line in errors. */
psprobe_code psp_members_run(const psp_json *object, const char *where, psp_run_copy *run,
                             psprobe_error *error);
/** The sources of a probe and the id of its run, as a run that nothing else is told of. */
psprobe_code psp_members_run_of_probe(const psp_json *object, const char *where, psp_run_copy *run,
                                      psprobe_error *error);
/** Reads a probe of a listed run, whose sources it has. The row is begun; its deliveries go into
 * the import. */
psprobe_code psp_members_probe(psp_import *import, const psp_json *object, const char *where,
                               psp_import_row *row, psprobe_error *error);

#endif
