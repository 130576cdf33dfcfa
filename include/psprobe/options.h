/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_OPTIONS_H
#define PSPROBE_OPTIONS_H
/**
 * @file
 * The options of a program: one table that feeds the parser, --help and the man page. Unless a
 * function says otherwise:
 *
 * Ownership: what is passed in is borrowed for the call.
 * Threading: from one thread at a time, for each object.
 * Blocks: no.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/auth.h>
#include <psprobe/error.h>
#include <psprobe/log.h>

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
  PSPROBE_OPTION_RATE,     /**< int64_t ns from one to the next ("10/s", "1/5s"), in [min, max] */
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
  bool man_only; /**< --help, which is one screen, gives its name alone */
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
  /** Receives, where no operand is taken, what begins with the first argument that is no option: a
   * command to run, NULL-terminated; NULL stays when there is none. NULL: no command is taken. */
  const char *const **command_value;
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
 * A check for psprobe_option.check: a project's id. Where a variable names an emulator, which takes
 * any, what can stand in a path.
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
/** A check of an address to listen on: host:port or [::1]:port, and on every address of the machine
 * :port or the port alone. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_listen(const char *text, psprobe_error *error);
/** The same, or a host alone where another option may name the port. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_listen_host(const char *text, psprobe_error *error);
/**
 * Puts a port in the place of an address's own.
 * @param listen has passed psprobe_check_listen_host
 * @param port   negative: it keeps its own
 * @param out, size  receives it; may hold what psprobe_check_listen refuses, if neither has a port
 * @return out
 */
PSPROBE_API const char *psprobe_listen_with(const char *listen, int64_t port, char *out,
                                            size_t size);
/** A check of a host's name, without a port. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_host(const char *text, psprobe_error *error);
/** A check of how we show the prober who we are: none or oidc. As psprobe_check_project. */
PSPROBE_API psprobe_code psprobe_check_prober_auth(const char *text, psprobe_error *error);
/** Checks by which way to receive: "streaming" or "unary". As psprobe_check_prober_auth. */
PSPROBE_API psprobe_code psprobe_check_mode(const char *text, psprobe_error *error);
/** Checks by which way to publish: "grpc" or "rest". As psprobe_check_prober_auth. */
PSPROBE_API psprobe_code psprobe_check_publish_by(const char *text, psprobe_error *error);
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
       .check = audience_check,                                                              \
       .man_only = true},                                                                    \
      {"jwks",                                                                               \
       PSPROBE_OPTION_URL,                                                                   \
       &(callers).jwks,                                                                      \
       "URL",                                                                                \
       .help = "keys that sign them [Google's]",                                             \
       .man_only = true},                                                                    \
  {                                                                                          \
    "platform-verified", PSPROBE_OPTION_FLAG, &(callers).platform_verified, NULL,            \
        .help = "Cloud Run checked the tokens and cut the signature off", .man_only = true   \
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

#ifdef __cplusplus
}
#endif
#endif
