/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_HYGIENE_H
#define PSP_AUTH_HYGIENE_H
/** @file Files that hold keys: read safely, and refused when they could leak. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <psprobe/error.h>

#include "auth/secret.h"

/**
 * Reads a credentials file: a plain file (symbolic links are followed), at most 256 KiB, not empty.
 * @param mode receives the permission bits of what was read
 * @return NOT_FOUND; INVALID_ARGUMENT (a directory, a device, empty, too large);
 *         PERMISSION_DENIED (not readable)
 */
psprobe_code psp_key_file_read(const char *path, psp_secret *text, mode_t *mode,
                               psprobe_error *error);

/**
 * Refuses a file with a secret in it that others can read, or that lies in a git work tree where
 * git does not ignore it. The message names the reason and the way out.
 * Blocks: asks git (at most 5 s) when the file lies in a work tree.
 */
psprobe_code psp_hygiene_check(const char *path, mode_t mode, psprobe_error *error);

typedef enum psp_git_answer {
  PSP_GIT_NO_TREE,
  PSP_GIT_IGNORED,
  PSP_GIT_EXPOSED,
  PSP_GIT_UNKNOWN
} psp_git_answer;
/** Whether git would take up the file; `tree` receives the work tree's top, "" for none. */
psp_git_answer psp_git_check(const char *path, char *tree, size_t tree_size);

#endif
