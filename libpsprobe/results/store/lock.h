/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_STORE_LOCK_H
#define PSP_RESULTS_STORE_LOCK_H
/** @file The lock of the one process that writes a results file. */
#include <stdint.h>

#include <psprobe/error.h>

/**
 * Takes the writer's lock of the results file at `path`: flock(2) on "path-lock", which ends with
 * the process however that ends. Another store in this process is refused too.
 *
 * @param patience_ns how long to wait for one who has it for a moment only
 * @param lock receives what psp_lock_release needs
 * @return PSPROBE_OK; FAILED_PRECONDITION when another has it (its process is named);
 *         PERMISSION_DENIED; NOT_FOUND (no such folder); …
 */
psprobe_code psp_lock_take(const char *path, int64_t patience_ns, int *lock, psprobe_error *error);
/** Gives it back; the lock file is removed. -1 is fine. */
void psp_lock_release(const char *path, int lock);
/** The error for a file or folder that `errno` kept us from, "cannot open path: cause". */
psprobe_code psp_open_fail(const char *path, int cause, psprobe_error *error);

#endif
