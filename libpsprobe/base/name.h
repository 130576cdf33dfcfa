/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_NAME_H
#define PSP_BASE_NAME_H
/**
 * @file
 * What the name of a source, a run or a collection may be, wherever it comes from: an option, CSV,
 * JSON lines, a results file, Firestore. It goes from each of these to each other, and into a URL's
 * path, and is the same afterwards. (A source that a program of ours sends for is named more
 * narrowly: psprobe_source_check.) Pure.
 */
#include <stddef.h>

#include <psprobe/error.h>

#define PSP_NAME_MAX  128
#define PSP_NAME_SIZE (PSP_NAME_MAX + 1)

/**
 * 1 to PSP_NAME_MAX bytes of printable UTF-8 (base/printable.h), white space neither first nor
 * last, no /, not "." or "..", not __…__ (https://cloud.google.com/firestore/quotas).
 * @param what whose name, in the error ("source", "run", "collection")
 * @return OK, or INVALID_ARGUMENT with the name made printable and what is wrong with it
 */
psprobe_code psp_name_check(const char *what, const char *name, size_t len, psprobe_error *error);
/** The same of a source that joins `count` others of its run, all of whose names differ. */
psprobe_code psp_name_check_source(const char *name, const char *const *others, size_t count,
                                   psprobe_error *error);

#endif
