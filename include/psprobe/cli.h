/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_CLI_H
#define PSPROBE_CLI_H
/**
 * @file
 * What the programs share: one table of options that feeds the parser, --help
 * and the man page; signals; a progress line. The only part of the library
 * that prints, and it prints where it is told to.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <psprobe/client.h>
#include <psprobe/error.h>
#include <psprobe/log.h>
#include <psprobe/probe.h>
#include <psprobe/report.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options ------------------------------------------------------------- */

typedef enum psprobe_option_kind {
  PSPROBE_OPTION_FLAG,     /**< bool: true when given; 1, 0, true, false in the environment */
  PSPROBE_OPTION_TEXT,     /**< const char *: not empty */
  PSPROBE_OPTION_LIST,     /**< psprobe_text_list: repeatable; commas in the environment */
  PSPROBE_OPTION_PAIR,     /**< psprobe_text_list: two values, once; a comma in the environment */
  PSPROBE_OPTION_INTEGER,  /**< int64_t, in [min, max] */
  PSPROBE_OPTION_DURATION, /**< int64_t ns ("5s", "20ms", "1m30s"), in [min, max] */
  PSPROBE_OPTION_URL       /**< const char *: absolute, http or https */
} psprobe_option_kind;

#define PSPROBE_LIST_MAX 16
typedef struct psprobe_text_list {
  const char *items[PSPROBE_LIST_MAX];
  size_t count;
  char *storage; /**< of items that came from the environment */
} psprobe_text_list;

/**
 * One option of a program. Its environment variable is PSPROBE_NAME (capitals,
 * _ for -); the option wins over it, and it over the default.
 */
typedef struct psprobe_option {
  const char *name; /**< without the dashes */
  psprobe_option_kind kind;
  void *value;          /**< of the kind's type; left alone when nothing sets it */
  const char *metavar;  /**< as --help shows the value; NULL for flags */
  const char *help;     /**< one line */
  const char *fallback; /**< the default, as text; NULL: none */
  const char *also_env; /**< a further variable that is looked at last; NULL: none */
  int64_t min, max;     /**< of INTEGER and DURATION; max 0: no bound */
  /** Checks a text further; NULL: nothing more to check. */
  psprobe_code (*check)(const char *text, psprobe_error *error);
  /** Its variable where PSPROBE_NAME says something else to another program; NULL: that one. */
  const char *env;
} psprobe_option;

/** A program, for its --help, --version and man page. */
typedef struct psprobe_program {
  const char *name;    /**< "prober" */
  const char *summary; /**< one line, lower case, no full stop */
  const char *about;   /**< a paragraph */
  const psprobe_option *options;
  size_t option_count;
  const char *operand;        /**< metavar of the one operand; NULL: none is taken */
  const char **operand_value; /**< receives it; NULL stays when it is missing */
  bool operand_required;
  const char *example; /**< lines of shell; NULL: none */
} psprobe_program;

/**
 * Reads arguments and environment into the options' values. Beside the
 * program's own it knows --help, --version and --log-level. A program that goes on has no core
 * dumps from then on (PSPROBE_CORE_DUMPS=1 allows them), and OpenSSL wipes what it frees: call it
 * before OpenSSL is used and before there are other threads.
 *
 * @param logger receives a logger to standard error at the level asked for; may be NULL
 * @return -1 to go on; else the exit status to end with: 0 (help or version was printed to
 *         standard output) or 2 (a mistake, told on standard error with the option at fault)
 */
PSPROBE_API int psprobe_cli_parse(const psprobe_program *program, int argc, char **argv,
                                  psprobe_logger *logger);

/** Prints `program: message` to standard error and returns exit status 1. */
PSPROBE_API int psprobe_cli_fail(const psprobe_program *program, const psprobe_error *error);
/** Prints `program: --option: message` and returns exit status 2. */
PSPROBE_API int psprobe_cli_usage(const psprobe_program *program, const char *option,
                                  const char *message);

/** Checks for psprobe_option.check: a project, a topic, a subscription, a source. */
PSPROBE_API psprobe_code psprobe_check_project(const char *text, psprobe_error *error);
PSPROBE_API psprobe_code psprobe_check_topic(const char *text, psprobe_error *error);
PSPROBE_API psprobe_code psprobe_check_subscription(const char *text, psprobe_error *error);
PSPROBE_API psprobe_code psprobe_check_collection(const char *text, psprobe_error *error);
/** A check of a moment: a date, an RFC 3339 time, or a duration before now. */
PSPROBE_API psprobe_code psprobe_check_moment(const char *text, psprobe_error *error);
/** Checks of who may call and for whom his tokens are: an account's e-mail; a program's own address
 * as its callers know it, scheme://host[:port] and nothing after it (what psprobe_responder_options
 * asks tokens for). */
PSPROBE_API psprobe_code psprobe_check_account(const char *text, psprobe_error *error);
PSPROBE_API psprobe_code psprobe_check_origin(const char *text, psprobe_error *error);
/** A check of an address to listen on: host:port, [::1]:port or :port. */
PSPROBE_API psprobe_code psprobe_check_listen(const char *text, psprobe_error *error);
/** A check of how we show the prober who we are: none or oidc. */
PSPROBE_API psprobe_code psprobe_check_prober_auth(const char *text, psprobe_error *error);
/** Such a moment as ns since 1970; 0 for what the check refuses. */
PSPROBE_API int64_t psprobe_cli_moment(const char *text);

/**
 * Takes every PSPROBE_ variable out of the environment: settings for a program of one's own are
 * not for those that this one starts. The texts of options that came from there stay.
 * Threading: before there are other threads.
 */
PSPROBE_API void psprobe_cli_forget_settings(void);

/* ---- callers -------------------------------------------------------------- */

/** What a program's options say of those who may call it. */
typedef struct psprobe_callers {
  psprobe_text_list accounts; /**< their e-mails */
  const char *audience;       /**< whom their tokens are for */
  const char *jwks;           /**< where the public keys are; NULL: Google's */
  bool platform_verified;
} psprobe_callers;

/**
 * Makes a verifier's options of them. Both an account and an audience must be given, or nothing:
 * an account alone would let in a token that it showed to anybody else, an audience alone every
 * account there is.
 *
 * @param account, audience  the options' names, for the message
 * @param verify  receives options that borrow from `callers` and `logger`, when tokens are asked
 *                for
 * @return -1 to go on (verify->audience is NULL when no tokens are asked for), or 2: a mistake,
 * told on standard error
 */
PSPROBE_API int psprobe_cli_callers(const psprobe_program *program, const psprobe_callers *callers,
                                    const char *account, const char *audience,
                                    const psprobe_logger *logger, psprobe_verifier_options *verify);

/* ---- signals ---------------------------------------------------------------- */

/** Called for each SIGINT or SIGTERM, on a thread of its own: anything may be called. */
typedef void psprobe_on_signal(void *arg, int count);

typedef struct psprobe_signals psprobe_signals;
/**
 * Takes SIGINT, SIGTERM and SIGHUP (unless that is ignored, as under nohup) of the process. Call it
 * first thing in main, before any other thread is there: they inherit the blocked signals. The
 * third signal ends the process at once.
 *
 * @return NULL without memory or threads
 */
PSPROBE_API psprobe_signals *psprobe_signals_new(void);
/** From now on (and at once, for signals that came before) signals go to `fn`; NULL: nowhere. */
PSPROBE_API void psprobe_signals_to(psprobe_signals *signals, psprobe_on_signal *fn, void *arg);
/** How many have come. */
PSPROBE_API int psprobe_signals_count(psprobe_signals *signals);
/** Waits for one, or until `timeout_ns` has passed (negative: for ever). */
PSPROBE_API bool psprobe_signals_wait(psprobe_signals *signals, int64_t timeout_ns);
PSPROBE_API void psprobe_signals_free(psprobe_signals *signals);

/* ---- child processes ----------------------------------------------------------- */

/** A program that ours started; it dies with us. */
typedef struct psprobe_child psprobe_child;
/**
 * Starts `argv` (NULL-terminated; argv[0] is a path) with no signal blocked and its standard
 * output in a pipe. It is killed when the thread that called this ends.
 * @param extra_env "NAME=value" entries beside our environment, NULL-terminated; may be NULL
 */
PSPROBE_API psprobe_code psprobe_child_start(const char *const *argv, const char *const *extra_env,
                                             psprobe_child **child, psprobe_error *error);
/** The path of another of our programs, beside the one that runs: "responder" or
 * "psprobe-responder". @return PSPROBE_OK or NOT_FOUND */
PSPROBE_API psprobe_code psprobe_program_path(const char *name, char *path, size_t size,
                                              psprobe_error *error);
/** What a person types to run it: psprobe-NAME if we were called so, else NAME in the folder that
 * we were called from. @return `command` */
PSPROBE_API const char *psprobe_program_command(const char *name, char *command, size_t size);
/**
 * Waits for a line of its standard output that begins with `prefix`; other lines are let go.
 * @param line receives it, without the newline
 * @return OK; DEADLINE_EXCEEDED; UNAVAILABLE when the program ended before
 */
PSPROBE_API psprobe_code psprobe_child_wait_line(psprobe_child *child, const char *prefix,
                                                 int64_t timeout_ns, char *line, size_t size,
                                                 psprobe_error *error);
/** SIGTERM, SIGKILL after `patience_ns`; waits. @return its exit status, 128 + signal, or -1 */
PSPROBE_API int psprobe_child_stop(psprobe_child *child, int64_t patience_ns);
PSPROBE_API void psprobe_child_free(psprobe_child *child); /**< stops it too; NULL is fine */

/* ---- progress ------------------------------------------------------------------- */

/** Writes one line, without newline, into `line`. On the progress thread. */
typedef void psprobe_progress_line(void *arg, char *line, size_t size);

/** A line about work under way: written over ten times a second on a terminal, and a plain line
 * each 30 s elsewhere. */
typedef struct psprobe_progress psprobe_progress;
/**
 * Begins to show progress.
 * @param file borrowed until psprobe_progress_free
 * @return NULL without memory or threads; psprobe_progress_free takes that
 */
PSPROBE_API psprobe_progress *psprobe_progress_new(FILE *file, psprobe_progress_line *line,
                                                   void *arg);
/** Takes the line off the terminal, ends the thread, frees. */
PSPROBE_API void psprobe_progress_free(psprobe_progress *progress);

/** A psprobe_progress_line of a prober: `arg` is the psprobe_prober. */
PSPROBE_API void psprobe_prober_progress(void *arg, char *line, size_t size);
/** Names each source that was silent throughout, which is a matter of how things are set up and not
 * of speed, and the program that looks for what is missing. */
PSPROBE_API void psprobe_cli_tell_silent(FILE *file, const psprobe_prober *prober);

/* ---- output ----------------------------------------------------------------------- */

/** How a text is laid out on `file`: the terminal's width (or COLUMNS), colour only on a terminal
 * and unless NO_COLOR is set. */
PSPROBE_API psprobe_text_options psprobe_cli_text_options(FILE *file, bool ascii);
/** Writes a whole file, which nobody sees half of. @return the error names the path */
PSPROBE_API psprobe_code psprobe_cli_write_file(const char *path, const char *text, size_t len,
                                                psprobe_error *error);

/* ---- start ------------------------------------------------------------------------ */

/**
 * Makes sure, before a program begins, that the service answers and the topic is there.
 *
 * @param create make the topic if it is not
 * @return PSPROBE_OK; NOT_FOUND or UNAVAILABLE with what to do about it; …
 */
PSPROBE_API psprobe_code psprobe_topic_ready(psprobe_client *client, const char *topic, bool create,
                                             psprobe_error *error);
/** Likewise for a subscription that is to be pulled. */
PSPROBE_API psprobe_code psprobe_subscription_ready(psprobe_client *client,
                                                    const char *subscription, psprobe_error *error);

/* ---- run and end -------------------------------------------------------------------------- */

/**
 * Runs a prober to its end, with a progress line on standard error. A signal ends it earlier, when
 * the answers in flight are there; another one at once.
 * @return as psprobe_prober_run
 */
PSPROBE_API psprobe_code psprobe_cli_run(const psprobe_program *program, psprobe_prober *prober,
                                         psprobe_signals *signals, psprobe_error *error);

/**
 * Waits until results are uploaded, for ten seconds at most, and not against somebody who has asked
 * for the end twice, or once since. @return as psprobe_uploader_flush
 */
PSPROBE_API psprobe_code psprobe_cli_flush(psprobe_uploader *uploader, psprobe_signals *signals,
                                           psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
