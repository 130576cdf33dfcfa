/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_CLI_H
#define PSPROBE_CLI_H
/**
 * @file
 * What the programs share: one table of options that feeds the parser, --help
 * and the man page; signals; a progress line. The only part of the library
 * that prints, and it prints where it is told to.
 *
 * Unless a function says otherwise:
 * Ownership: what is passed in is borrowed for the call.
 * Threading: from one thread at a time, for each object.
 * Blocks: no.
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

/* ---- options ---- */

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
 * before OpenSSL is used.
 *
 * @param argc, argv  main's
 * @param logger receives a logger to standard error at the level asked for; may be NULL
 * @param status receives the exit status, where the program is to end: 0 (help or version was
 *               printed to standard output), 1 (it could not be, or out of memory) or 2 (a mistake,
 *               told on standard error with the option at fault)
 * @return true: go on; false: end with `*status`
 * Ownership: texts point into `argv`, the environment and the options' defaults; lists may own
 *            some, which psprobe_cli_free frees. Nothing is left to free where it says false.
 * Threading: before there are other threads.
 */
PSPROBE_API bool psprobe_cli_parse(const psprobe_program *program, int argc, char **argv,
                                   psprobe_logger *logger, int *status);
/** Frees what the lists among a program's options own, and empties them. */
PSPROBE_API void psprobe_cli_free(const psprobe_program *program);

/**
 * Prints `program: message` to standard error.
 * @return exit status 1
 */
PSPROBE_API int psprobe_cli_fail(const psprobe_program *program, const psprobe_error *error);
/**
 * Prints `program: --option: message` to standard error.
 * @param option its name, without the dashes
 * @param message what is wrong with it
 * @return exit status 2
 */
PSPROBE_API int psprobe_cli_usage(const psprobe_program *program, const char *option,
                                  const char *message);

/**
 * Takes every PSPROBE_ variable out of the environment: settings for a program of one's own are
 * not for those that this one starts. The texts of options that came from there stay.
 * Threading: before there are other threads.
 */
PSPROBE_API void psprobe_cli_forget_settings(void);

/* ---- checks of options ---- */

/**
 * A check for psprobe_option.check: a project's id.
 * Source: https://cloud.google.com/resource-manager/docs/creating-managing-projects
 * @param text what the user gave
 * @return PSPROBE_OK; INVALID_ARGUMENT: it is none, and the error says why
 */
PSPROBE_API psprobe_code psprobe_check_project(const char *text, psprobe_error *error);
/** A check of a topic, by its id or in full. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_topic(const char *text, psprobe_error *error);
/** A check of a subscription, by its id or in full. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_subscription(const char *text, psprobe_error *error);
/** A check of a Firestore collection's id. As psprobe_check_project.
 * Source: https://cloud.google.com/firestore/quotas */
PSPROBE_API psprobe_code psprobe_check_collection(const char *text, psprobe_error *error);
/** A check of a moment: a date, an RFC 3339 time, or a duration before now. As
 * psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_moment(const char *text, psprobe_error *error);
/** A check of who may call: an account's e-mail. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_account(const char *text, psprobe_error *error);
/** A check of a program's own address as its callers know it, scheme://host[:port] and nothing
 * after it (what psprobe_responder_options asks tokens for). As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_origin(const char *text, psprobe_error *error);
/** A check of an address to listen on: host:port, [::1]:port or :port. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_listen(const char *text, psprobe_error *error);
/** A check of a host's name, without a port. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_host(const char *text, psprobe_error *error);
/** A check of how we show the prober who we are: none or oidc. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_prober_auth(const char *text, psprobe_error *error);
/**
 * What psprobe_check_moment lets through, as a moment.
 * @param text the user's
 * @return ns since 1970; 0 for what the check refuses
 */
PSPROBE_API int64_t psprobe_cli_moment(const char *text);

/* ---- callers ---- */

/** What a program's options say of those who may call it. */
typedef struct psprobe_callers {
  psprobe_text_list accounts; /**< their e-mails */
  const char *audience;       /**< whom their tokens are for */
  const char *jwks;           /**< where the public keys are; NULL: Google's */
  bool platform_verified;
} psprobe_callers;

/**
 * The rows of a psprobe_callers in a program's table of options.
 * @param callers the psprobe_callers
 * @param account, calls  the option that names accounts, and what needs their tokens: "answers"
 * @param its_audience, whose, audience_check  the option that names the audience, what its help
 *        ends with, and its check
 */
#define PSPROBE_CALLER_OPTIONS(callers, account, calls, its_audience, whose, audience_check) \
  {account,                                                                                  \
   PSPROBE_OPTION_LIST,                                                                      \
   &(callers).accounts,                                                                      \
   "EMAIL",                                                                                  \
   .help = calls " need an ID token of this account; repeatable",                            \
   .check = psprobe_check_account},                                                          \
      {its_audience,                                                                         \
       PSPROBE_OPTION_TEXT,                                                                  \
       &(callers).audience,                                                                  \
       "URL",                                                                                \
       .help = "whom those tokens are for" whose,                                            \
       .check = audience_check},                                                             \
      {"jwks", PSPROBE_OPTION_URL, &(callers).jwks, "URL",                                   \
       .help = "keys that sign them [Google's]"},                                            \
  {                                                                                          \
    "platform-verified", PSPROBE_OPTION_FLAG, &(callers).platform_verified, NULL,            \
        .help = "Cloud Run checked the tokens and cut the signature off"                     \
  }

/**
 * Makes a verifier's options of what the rows of PSPROBE_CALLER_OPTIONS say. Both an account and an
 * audience must be given, or nothing: an account alone would let in a token that it showed to
 * anybody else, an audience alone every account there is.
 *
 * @param callers what its options have set
 * @param logger the verifier's; may be NULL
 * @param verify receives the options; its audience is NULL when no tokens are asked for
 * @param status receives 2, where there is a mistake, which is told on standard error
 * @return true: go on; false: end with `*status`
 * Ownership: `verify` borrows from `callers` and `logger`.
 */
PSPROBE_API bool psprobe_cli_callers(const psprobe_program *program, const psprobe_callers *callers,
                                     const psprobe_logger *logger, psprobe_verifier_options *verify,
                                     int *status);

/* ---- signals ---- */

/** Called for each SIGINT or SIGTERM, on a thread of its own: anything may be called but what is
 * of these signals. */
typedef void psprobe_on_signal(void *arg, int count);

typedef struct psprobe_signals psprobe_signals;
/**
 * Takes SIGINT, SIGTERM and SIGHUP (unless that is ignored, as under nohup) of the process, and
 * ignores SIGPIPE. Call it before any other thread is there: they inherit the blocked signals. The
 * third signal ends the process at once.
 *
 * @param signals receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory or threads
 */
PSPROBE_API psprobe_code psprobe_signals_new(psprobe_signals **signals, psprobe_error *error);
/**
 * From now on (and at once, for signals that came before) signals go to `fn`.
 * @param fn NULL: nowhere; it has returned from the last call then
 * Threading: any thread.
 */
PSPROBE_API void psprobe_signals_to(psprobe_signals *signals, psprobe_on_signal *fn, void *arg);
/**
 * How many have come.
 * @return their number
 * Threading: any thread.
 */
PSPROBE_API int psprobe_signals_count(psprobe_signals *signals);
/**
 * Waits for a signal, unless one has come.
 * @param timeout_ns for how long; negative: for ever
 * @return whether one has come
 * Threading: any thread.
 * Blocks: until then.
 */
PSPROBE_API bool psprobe_signals_wait(psprobe_signals *signals, int64_t timeout_ns);
/** Ends its thread and frees; the signals stay blocked. NULL is fine. */
PSPROBE_API void psprobe_signals_free(psprobe_signals *signals);

/* ---- child processes ---- */

/** A program that ours started; it dies with us. */
typedef struct psprobe_child psprobe_child;
/**
 * Starts a program with no signal blocked and its standard output in a pipe. It is killed when the
 * thread that called this ends.
 * @param argv its arguments, NULL-terminated; argv[0] is a path
 * @param extra_env "NAME=value" entries beside our environment, NULL-terminated; may be NULL
 * @param child receives it
 * @return PSPROBE_OK; NOT_FOUND or PERMISSION_DENIED when it cannot be run; RESOURCE_EXHAUSTED
 *         without memory or processes
 */
PSPROBE_API psprobe_code psprobe_child_new(const char *const *argv, const char *const *extra_env,
                                           psprobe_child **child, psprobe_error *error);
/**
 * The path of another of our programs, beside the one that runs: "responder" or
 * "psprobe-responder".
 * @param name "responder"
 * @param path, size  receives it
 * @return PSPROBE_OK; NOT_FOUND: it is not there, or its path is longer
 */
PSPROBE_API psprobe_code psprobe_program_path(const char *name, char *path, size_t size,
                                              psprobe_error *error);
/**
 * What a person types to run it: psprobe-NAME if we were called so, else NAME in the folder that
 * we were called from.
 * @param name "responder"
 * @param command, size  receives it, cut to fit
 * @return `command`
 */
PSPROBE_API const char *psprobe_program_command(const char *name, char *command, size_t size);
/**
 * Waits for a line of its standard output that begins with `prefix`; other lines are let go.
 * @param prefix what the line begins with
 * @param timeout_ns for how long
 * @param line, size  receives it, without the newline
 * @return PSPROBE_OK; DEADLINE_EXCEEDED; UNAVAILABLE when the program ended before
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_child_wait_line(psprobe_child *child, const char *prefix,
                                                 int64_t timeout_ns, char *line, size_t size,
                                                 psprobe_error *error);
/**
 * Ends it: SIGTERM, then SIGKILL.
 * @param patience_ns how long SIGTERM may take
 * @return its exit status, 128 + signal, or -1
 * Blocks: until it has ended.
 */
PSPROBE_API int psprobe_child_stop(psprobe_child *child, int64_t patience_ns);
/** Stops it, with a patience of 5 s, and frees. NULL is fine.
 * Blocks: as psprobe_child_stop does. */
PSPROBE_API void psprobe_child_free(psprobe_child *child);

/* ---- progress ---- */

/** Writes one line, without newline, into `line`. On the progress thread. */
typedef void psprobe_progress_line(void *arg, char *line, size_t size);

/** A line about work under way: written over ten times a second on a terminal, and a plain line
 * each 30 s elsewhere. */
typedef struct psprobe_progress psprobe_progress;
/**
 * Begins to show progress.
 * @param file where
 * @param line asked for each line
 * @param progress receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory or threads
 * Ownership: `file` is borrowed until psprobe_progress_free.
 */
PSPROBE_API psprobe_code psprobe_progress_new(FILE *file, psprobe_progress_line *line, void *arg,
                                              psprobe_progress **progress, psprobe_error *error);
/** Takes the line off the terminal, ends the thread, frees. NULL is fine. */
PSPROBE_API void psprobe_progress_free(psprobe_progress *progress);

/**
 * A psprobe_progress_line of a prober, which `arg` is.
 * @param line, size  receives it
 * Threading: any thread.
 */
PSPROBE_API void psprobe_prober_progress(void *arg, char *line, size_t size);
/**
 * Names each source that was silent throughout, which is a matter of how things are set up and not
 * of speed, and the program that looks for what is missing.
 * @param file where
 * @param prober one that has run
 */
PSPROBE_API void psprobe_cli_tell_silent(FILE *file, const psprobe_prober *prober);

/* ---- output ---- */

/**
 * How a text is laid out on a stream: the terminal's width (or COLUMNS), colour only on a terminal
 * and unless NO_COLOR is set.
 * @param file where it is to be written
 * @param ascii no block characters
 * @return the options
 */
PSPROBE_API psprobe_text_options psprobe_cli_text_options(FILE *file, bool ascii);
/**
 * Writes a whole file, which nobody sees half of.
 * @param path its name
 * @param text, len  its bytes
 * @return PSPROBE_OK; PERMISSION_DENIED; UNAVAILABLE when it cannot be written else; the error
 * names the path Blocks: on the disk.
 */
PSPROBE_API psprobe_code psprobe_cli_write_file(const char *path, const char *text, size_t len,
                                                psprobe_error *error);

/* ---- start ---- */

/**
 * Makes sure, before a program begins, that the service answers and the topic is there.
 *
 * @param topic its id, or in full
 * @param create make the topic if it is not
 * @return PSPROBE_OK, also when we may not look; NOT_FOUND or UNAVAILABLE with what to do about it;
 *         else as psprobe_topic_create and psprobe_topic_exists
 * Blocks: up to 4 s.
 */
PSPROBE_API psprobe_code psprobe_topic_ready(psprobe_client *client, const char *topic, bool create,
                                             psprobe_error *error);
/**
 * Likewise for a subscription that is to be pulled.
 * @param subscription its id, or in full
 * @return PSPROBE_OK, also when we may not look; NOT_FOUND or UNAVAILABLE with what to do about it;
 *         else as psprobe_subscription_get
 * Blocks: up to 4 s.
 */
PSPROBE_API psprobe_code psprobe_subscription_ready(psprobe_client *client,
                                                    const char *subscription, psprobe_error *error);

/* ---- run and end ---- */

/**
 * Runs a prober to its end, with a progress line on standard error. A signal ends the sending;
 * what is in flight then is waited for until the grace is over or another signal comes.
 * @param prober one that has not run
 * @param signals asked meanwhile; nowhere afterwards
 * @param grace_ns how long; 0: what is in flight is given up
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED: no memory, no thread; else as psprobe_prober_run
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_cli_run(const psprobe_program *program, psprobe_prober *prober,
                                         psprobe_signals *signals, int64_t grace_ns,
                                         psprobe_error *error);

/**
 * Waits until results are uploaded, until ten seconds have passed (since the signal, if one ended
 * the run), but not against somebody who has asked for the end twice, or once since.
 * @param signals asked meanwhile
 * @return PSPROBE_OK, or as psprobe_uploader_flush
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_cli_flush(psprobe_uploader *uploader, psprobe_signals *signals,
                                           psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
