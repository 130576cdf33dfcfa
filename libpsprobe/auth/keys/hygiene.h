/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_KEYS_HYGIENE_H
#define PSP_AUTH_KEYS_HYGIENE_H
/** @file Files that hold keys: read safely, and refused when they could leak. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <psprobe/error.h>

#include "os/secret.h"

/**
 * Refuses what cannot be a file's name and may be the secret itself, put where its file's name
 * belongs: JSON, PEM, a token, something encoded. INVALID_ARGUMENT; the message ("it holds JSON …")
 * shows nothing of it.
 */
psprobe_code psp_key_path_check(const char *path, psprobe_error *error);

/** What was read, whatever its name means a moment later. */
typedef struct psp_key_seen {
  mode_t mode;   /**< its permission bits */
  nlink_t names; /**< how many names it has (hard links) */
} psp_key_seen;

/**
 * Reads a credentials file: a plain file (symbolic links are followed), at most 256 KiB, not empty.
 * @param seen receives what could make it leak
 * @return NOT_FOUND; INVALID_ARGUMENT (a directory, a device, empty, too large);
 *         PERMISSION_DENIED (not readable)
 */
psprobe_code psp_key_file_read(const char *path, psp_secret *text, psp_key_seen *seen,
                               psprobe_error *error);

/**
 * Refuses a file with a secret in it that others can read, that has a second name (which may lie
 * where others or git find it), or that lies in a git work tree where git does not ignore it. The
 * message names the reason and the way out.
 * Blocks: asks git (at most 5 s) when the file lies in a work tree.
 */
psprobe_code psp_hygiene_check(const char *path, const psp_key_seen *seen, psprobe_error *error);

typedef enum psp_git_answer {
  PSP_GIT_NO_TREE,
  PSP_GIT_IGNORED,
  PSP_GIT_EXPOSED,
  PSP_GIT_UNKNOWN
} psp_git_answer;
/** Whether git would take up the file; `tree` receives the work tree's top, "" for none. */
psp_git_answer psp_git_check(const char *path, char *tree, size_t tree_size);

typedef enum psp_git_past {
  PSP_GIT_NEVER,     /**< git has never seen it */
  PSP_GIT_STAGED,    /**< in the index, in no commit */
  PSP_GIT_COMMITTED, /**< in a commit of some branch, now or once */
  PSP_GIT_PAST_UNKNOWN
} psp_git_past;
/** Whether git has taken up a file that lies in a work tree, also when it is ignored by now: who
 * has a copy of the repository has the key. Blocks: at most 10 s, in a large repository. */
psp_git_past psp_git_history(const char *path);

#endif
