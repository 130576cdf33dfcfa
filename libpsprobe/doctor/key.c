/* SPDX-License-Identifier: MIT */
/** @file Whether a key could leak, or has: its mode, and what git knows of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/keys/hygiene.h"
#include "base/text.h"
#include "doctor/parts.h"

/* What a leaked secret needs: to become worthless. To take it out of git does not help. */
static void revoke(psp_doctor *d) {
  psp_word key, account;
  if (d->who.key_id != NULL && d->who.account != NULL)
    psp_doctor_mend(d, "gcloud iam service-accounts keys delete %s --iam-account=%s",
                    psp_word_of(&key, d->who.key_id), psp_word_of(&account, d->who.account));
  else
    psp_doctor_mend(d, "gcloud auth application-default revoke");
}

/* Where programs look for it by its place, it cannot be moved. */
static void move_out(psp_doctor *d, const char *tree, const char *path) {
  const char *slash = strrchr(path, '/');
  psp_word from, name, top;
  if (!d->from_variable) {
    psp_doctor_mend(d, "echo %s >>%s/.gitignore",
                    psp_word_of(&name, path + (psp_text_starts(path, tree) ? strlen(tree) : 0)),
                    psp_word_of(&top, tree));
    return;
  }
  psp_word_of(&from, path);
  psp_word_of(&name, slash != NULL ? slash + 1 : path);
  psp_doctor_mend(d, "mv %s \"$HOME\"/%s", from.text, name.text);
  psp_doctor_mend(d, "export GOOGLE_APPLICATION_CREDENTIALS=\"$HOME\"/%s", name.text);
}

/* Git's own path of the file: it may be run from anywhere. */
static void remove_from_index(psp_doctor *d, const char *tree, const char *path) {
  psp_word top, word;
  psp_doctor_mend(d, "git -C %s rm --cached %s", psp_word_of(&top, tree), psp_word_of(&word, path));
}

/* @return true: there was something to say */
static bool look_at_git(psp_doctor *d, const char *path, psprobe_doctor_state bad) {
  char tree[300];
  psp_git_answer answer = psp_git_check(path, tree, sizeof tree);
  if (answer == PSP_GIT_NO_TREE) return false;
  psp_git_past past = psp_git_history(path);
  if (past == PSP_GIT_COMMITTED) {
    revoke(d);
    if (answer != PSP_GIT_IGNORED) remove_from_index(d, tree, path);
    psp_doctor_advise_login(d);
    psp_doctor_found(
        d, answer == PSP_GIT_IGNORED ? PSPROBE_DOCTOR_WARNING : bad, "credentials.key", path,
        "%s is in a commit of the git work tree %s: who has a copy of that has the key, and "
        "no deletion there takes it back, so make it worthless",
        path, tree);
    return true;
  }
  if (answer == PSP_GIT_IGNORED && past == PSP_GIT_PAST_UNKNOWN) {
    psp_word top;
    psp_doctor_mend(d, "git -C %s fsck", psp_word_of(&top, tree));
    psp_doctor_found(d, PSPROBE_DOCTOR_WARNING, "credentials.key", path,
                     "git ignores %s, and could not be asked whether a commit has it", path);
    return true;
  }
  if (answer == PSP_GIT_IGNORED) return false;
  if (past == PSP_GIT_STAGED) remove_from_index(d, tree, path);
  move_out(d, tree, path);
  psp_doctor_found(d, bad, "credentials.key", path, "%s lies in the git work tree %s, %s", path,
                   tree,
                   past == PSP_GIT_STAGED      ? "and the next commit would have it"
                   : answer == PSP_GIT_UNKNOWN ? "and git could not be asked whether it ignores it"
                                               : "where git does not ignore it");
  return true;
}

void psp_doctor_key(psp_doctor *d, const char *path, bool refused) {
  psprobe_doctor_state bad = refused ? PSPROBE_DOCTOR_FAILED : PSPROBE_DOCTOR_WARNING;
  struct stat found;
  if (psp_text_equal(d->who.kind, "external_account") && !refused) {
    psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.key", path,
                     "%s holds nothing that must not leak", path);
    return;
  }
  char real[4096];
  if (realpath(path, real) == NULL || stat(real, &found) != 0) return; /* gone since it was read */
  bool open = (found.st_mode & 077) != 0;
  if (open) {
    psp_word word;
    psp_doctor_mend(d, "chmod 600 %s", psp_word_of(&word, real));
    psp_doctor_found(d, bad, "credentials.key", path, "%s is open to other users (mode %04o)", path,
                     (unsigned)(found.st_mode & 07777));
  }
  bool linked = found.st_nlink > 1;
  if (linked) {
    psp_word word;
    psp_doctor_mend(d, "find / -xdev -samefile %s 2>/dev/null", psp_word_of(&word, real));
    psp_doctor_found(
        d, bad, "credentials.key", path,
        "%s has %ju names (hard links): another may lie in a git work tree or where others can "
        "read it",
        path, (uintmax_t)found.st_nlink);
  }
  if (look_at_git(d, real, bad) || open || linked) return;
  psp_doctor_found(d, PSPROBE_DOCTOR_OK, "credentials.key", path,
                   "%s can be read by nobody else (mode %04o), and git does not have it", path,
                   (unsigned)(found.st_mode & 07777));
}
