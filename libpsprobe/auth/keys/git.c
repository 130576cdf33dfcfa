/* SPDX-License-Identifier: MIT */
/** @file Whether git would commit a file: asked of git itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/keys/hygiene.h"
#include "os/command.h"

/*
 * Git itself is asked, rather than its rules copied: nested .gitignore files, .git/info/exclude,
 * core.excludesFile, negation, and files that are tracked in spite of a rule make up an answer that
 * must not be nearly right. It is only asked about a file that does lie in a work tree. It is the
 * system's git, whatever PATH we were started with; its environment is ours alone (a GIT_DIR of the
 * program's would make it look elsewhere), and the repository's own configuration cannot make it
 * run anything.
 */
#define PATIENCE_NS INT64_C(5000000000)
#define PATH_SIZE   4096
#define FOLDERS     "/usr/local/bin:/usr/bin:/bin"

/* ".git" is a directory with a HEAD in it, or a file (in a submodule or a linked work tree). */
static bool is_tree(const char *directory) {
  char name[PATH_SIZE + 16];
  struct stat found;
  const char *top = strcmp(directory, "/") == 0 ? "" : directory;
  snprintf(name, sizeof name, "%s/.git", top);
  if (stat(name, &found) != 0) return false;
  if (S_ISREG(found.st_mode)) return true;
  snprintf(name, sizeof name, "%s/.git/HEAD", top);
  return lstat(name, &found) == 0;
}

/* The nearest of the file's parents that is a work tree; false: none. `path` is absolute. */
static bool find_tree(const char *path, char tree[PATH_SIZE]) {
  snprintf(tree, PATH_SIZE, "%s", path);
  for (;;) {
    char *slash = strrchr(tree, '/');
    if (slash == NULL) return false;
    slash[slash == tree ? 1 : 0] = 0;
    if (is_tree(tree)) return true;
    if (slash == tree) return false;
  }
}

/* Runs git in `tree` with `args` (NULL-terminated, at most 8) before `path`. @return its exit
 * status; -1: it could not be asked */
static int run_git(const char *tree, const char *const *args, const char *path,
                   psp_secret *output) {
  char home[PATH_SIZE + 8];
  const char *users = getenv("HOME"); /* for the user's own core.excludesFile */
  snprintf(home, sizeof home, "HOME=%s", users != NULL ? users : "/");
  const char *const env[] = {"PATH=" FOLDERS,         home, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0",
                             "GIT_TERMINAL_PROMPT=0", NULL};
  const char *argv[20] = {"git",
                          "-C",
                          tree,
                          "-c",
                          "core.fsmonitor=false",
                          "-c",
                          "core.hooksPath=/dev/null",
                          "-c",
                          "protocol.allow=never"};
  size_t count = 9;
  while (*args != NULL)
    argv[count++] = *args++;
  argv[count++] = "--";
  argv[count++] = path;
  int status = -1;
  const psp_command git = {
      .argv = argv, .folders = FOLDERS, .env = env, .timeout_ns = PATIENCE_NS, .max_output = 65536};
  return psp_command_run(&git, output, &status, NULL) == PSPROBE_OK ? status : -1;
}

static psp_git_answer ask_git(const char *path, const char *tree) {
  static const char *const args[] = {"check-ignore", "-q", NULL};
  psp_secret output = {0};
  int status = run_git(tree, args, path, &output);
  psp_secret_free(&output);
  return status == 0 ? PSP_GIT_IGNORED : status == 1 ? PSP_GIT_EXPOSED : PSP_GIT_UNKNOWN;
}

/* How older gits end rev-list --all where there is no commit yet. */
#define NO_COMMITS 129

psp_git_past psp_git_history(const char *path) {
  /* Not log, which has settings that run programs. */
  static const char *const log[] = {"--literal-pathspecs", "rev-list", "--all", "-n", "1", NULL};
  static const char *const index[] = {"--literal-pathspecs", "ls-files", NULL};
  char real[PATH_SIZE], tree[PATH_SIZE];
  if (realpath(path, real) == NULL || !find_tree(real, tree)) return PSP_GIT_NEVER;
  psp_secret commits = {0}, names = {0};
  int logged = run_git(tree, log, real, &commits);
  int listed = run_git(tree, index, real, &names);
  psp_git_past past = PSP_GIT_NEVER;
  if (logged == 0 && commits.len > 0)
    past = PSP_GIT_COMMITTED;
  else if ((logged != 0 && logged != NO_COMMITS) || listed != 0)
    past = PSP_GIT_PAST_UNKNOWN;
  else if (names.len > 0)
    past = PSP_GIT_STAGED;
  psp_secret_free(&commits);
  psp_secret_free(&names);
  return past;
}

psp_git_answer psp_git_check(const char *path, char *tree, size_t tree_size) {
  tree[0] = 0;
  /* A link in a work tree to a key outside of it holds no secret: the real place counts. */
  char real[PATH_SIZE];
  if (realpath(path, real) == NULL) return PSP_GIT_NO_TREE;
  char top[PATH_SIZE];
  if (!find_tree(real, top)) return PSP_GIT_NO_TREE;
  snprintf(tree, tree_size, "%s", top);
  return ask_git(real, top);
}
