/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_STORE_LOCK_H
#define PSP_RESULTS_STORE_LOCK_H
/**
 * @file
 * The lock of the one process that writes a results file. It is on the file itself (flock(2)), not
 * on a name beside it: two names, a link of either kind and a cleaner of /tmp let no second writer
 * in, nothing is left behind, and it ends with the process however that ends.
 *
 * Closing any descriptor of a file drops the POSIX locks that this process has on it, SQLite's
 * among them (https://sqlite.org/howtocorrupt.html, 2.2). So a file that this process writes is
 * never opened here a second time: what is held is listed.
 */
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/error.h>

typedef struct psp_file_lock psp_file_lock;

/** Who writes a file. */
typedef enum psp_writer {
  PSP_WRITER_UNKNOWN, /**< not looked at, or its file system tells nothing */
  PSP_WRITER_RUNNING, /**< a process has the lock */
  PSP_WRITER_GONE     /**< nobody has */
} psp_writer;

/**
 * Takes the writer's lock of the results file at `path`.
 *
 * @param make        make the file when it is not there
 * @param patience_ns how long to wait for one who has it for a moment only
 * @param lock        receives it; untouched on failure
 * @return PSPROBE_OK; FAILED_PRECONDITION when another has it, of this process or not (its process
 *         is named); PERMISSION_DENIED; NOT_FOUND; RESOURCE_EXHAUSTED; INVALID_ARGUMENT; INTERNAL
 */
psprobe_code psp_file_lock_take(const char *path, bool make, int64_t patience_ns,
                                psp_file_lock **lock, psprobe_error *error);
/** Whether `path` still leads to the file that is locked. */
bool psp_file_lock_leads(const psp_file_lock *lock, const char *path);
/** Whether this process holds the lock of what `path` leads to. */
bool psp_file_lock_is_held(const char *path);
/** Looks whether anybody holds the lock of what `path` leads to, and takes it from nobody. While
 * this process has no connection to it. */
psp_writer psp_file_lock_look(const char *path);
/** Gives it back; after every connection to the file is closed. NULL is fine. */
void psp_file_lock_release(psp_file_lock *lock);
/** The error for a file or folder that `errno` kept us from, "cannot open path: cause". */
psprobe_code psp_open_fail(const char *path, int cause, psprobe_error *error);
/**
 * Whether files can be made beside the one that `path` leads to, as SQLite's log must be.
 *
 * @return false, with errno set: also when `path` leads to nothing
 */
bool psp_open_beside(const char *path);

#endif
