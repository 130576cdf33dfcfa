/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_LIMIT_H
#define PSP_OS_LIMIT_H
/**
 * @file How many files a process may have open, sockets among them, and who gets how many of them:
 * what hangs at one place then never takes what another needs.
 */
#include <stddef.h>
#include <stdint.h>

/**
 * Shares, in sixteenths of the bound. What is left is for the results file, the log, name servers.
 */
enum psp_files_share {
  PSP_FILES_CALLS = 4,    /**< calls to Google: publishes, pulls, uploads */
  PSP_FILES_ONE_HOST = 2, /**< of these, to any one host */
  PSP_FILES_SERVER = 6,   /**< connections to a server: answers, pushes */
  PSP_FILES_MINOR = 2,    /**< to one of the stand-in's that has a greater one beside it */
  PSP_FILES_PAGE = 1      /**< to the page */
};

/** Connections to one host are no more than this, whatever the bound: a server of ours keeps as
 * many for two who call it from one address with 1,024 files, and does not show out any of them
 * while requests are on the way. */
#define PSP_FILES_ONE_HOST_MOST 128

/** The bound as it is. UINT64_MAX: there is none. */
uint64_t psp_limit_files(void);
/** A share of it, but no more than `most`, and at least 4. */
size_t psp_limit_files_share(enum psp_files_share share, size_t most);
/** Raises it as far as we may. Before there are other threads. @return what it is then */
uint64_t psp_limit_files_raise(void);
/** Sets it to what it was before it was raised, for a program that we start: one that uses
 * select(2) is not made for more than 1,024. Between fork and exec. */
void psp_limit_files_restore(void);

#endif
