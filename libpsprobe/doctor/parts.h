/* SPDX-License-Identifier: MIT */
#ifndef PSP_DOCTOR_PARTS_H
#define PSP_DOCTOR_PARTS_H
/** @file What the files of this floor share: the run, its findings, and what mends them. */
#include <psprobe/doctor.h>

#include "auth/credentials.h"
#include "base/buf.h"
#include "client/call.h"
#include "http/client/transport.h"
#include "os/clock.h"

/** How long one check may take if nobody says otherwise, and all of them. */
#define PSP_DOCTOR_CHECK_NS (4 * PSP_SECOND_NS)
#define PSP_DOCTOR_TOTAL_NS (28 * PSP_SECOND_NS)
/** A clock that is off by more than that: tokens that are signed here are refused. */
#define PSP_DOCTOR_CLOCK_MAX_S 120

#define PSP_DOCTOR_MENDS 6

/** A finding that owns its texts. */
typedef struct psp_kept_finding {
  const char *check;
  char *resource, *text;
  char *mend[PSP_DOCTOR_MENDS];
  size_t mend_count;
  psprobe_doctor_state state;
} psp_kept_finding;

struct psprobe_diagnosis {
  psp_kept_finding *items;
  size_t count, room;
  char *project; /* NULL: not known */
};

/** A run. */
typedef struct psp_doctor {
  const psprobe_doctor_options *o;
  psprobe_doctor_each *each;
  void *arg;
  psprobe_diagnosis *found;
  bool failed; /* no memory */
  char *mend[PSP_DOCTOR_MENDS];
  size_t mend_count; /* of the next finding */
  int64_t deadline_ns;

  psprobe_credentials *credentials; /* NULL: none, or none that may be used */
  const char *no_credentials;       /* why; NULL: they may be used */
  psprobe_credentials_info who;
  bool from_variable; /* GOOGLE_APPLICATION_CREDENTIALS named them */
  char *member;       /* "user:a@b"; "MEMBER" while it is not known. Set when credentials are */
  psprobe_client *client;
  psp_http *http;
  const char *project;
  bool clock_known;
  int64_t clock_off_s; /* ours less Google's */
  bool usable[2];      /* by psp_service: calls of it have a point */
  char base[2][300];   /* its URL, with a slash at the end */
} psp_doctor;

/* ---- findings (finding.c) ---- */

/** Says what mends the next finding: a shell command. In order. */
void psp_doctor_mend(psp_doctor *d, const char *format, ...) PSPROBE_PRINTF(2, 3);
/** A finding, with what psp_doctor_mend said since the last. Control characters become '?'. */
void psp_doctor_found(psp_doctor *d, psprobe_doctor_state state, const char *check,
                      const char *resource, const char *format, ...) PSPROBE_PRINTF(5, 6);
/** How long a check may still take; 0: the time is over. */
int64_t psp_doctor_left(const psp_doctor *d);

/* ---- texts of commands (advice.c): pure but for what psp_doctor_mend keeps ---- */

/** Adds `text` to `out` as one word of the shell, quoted where that is needed. */
void psp_shell_word(psp_buf *out, const char *text);
/** `text` as a word in a buffer of the caller's, for one printf; "" without room. */
typedef struct psp_word {
  char text[600];
} psp_word;
const char *psp_word_of(psp_word *word, const char *text);
/** What there is to do about credentials whose token was refused. */
void psp_doctor_advise_refused(psp_doctor *d);
/** What Google's refusal (a reason that is its own) asks for. @return false: none that we know */
bool psp_doctor_advise_reason(psp_doctor *d, const char *api, const psprobe_error *error);
/** How to log in without a key. */
void psp_doctor_advise_login(psp_doctor *d);

/* ---- the checks, in order ---- */
void psp_doctor_credentials(psp_doctor *d);                         /* credentials.c */
void psp_doctor_key(psp_doctor *d, const char *path, bool refused); /* key.c */
void psp_doctor_reach(psp_doctor *d);      /* reach.c: each API's host, and the clock */
void psp_doctor_give_token(psp_doctor *d); /* identity.c */
void psp_doctor_identity(psp_doctor *d);
void psp_doctor_topic(psp_doctor *d); /* topic.c */
void psp_doctor_subscriptions(psp_doctor *d);
void psp_doctor_firestore(psp_doctor *d); /* firestore.c */
void psp_doctor_prober(psp_doctor *d);    /* prober.c */

/* ---- permissions (permissions.c) ---- */

#define PSP_PERMISSIONS_MAX 6
typedef struct psp_permissions {
  const char *names[PSP_PERMISSIONS_MAX];
  size_t count;
  bool granted[PSP_PERMISSIONS_MAX];
} psp_permissions;

/** {"permissions":["…"]} as testIamPermissions wants it. Pure. */
void psp_permissions_body(const psp_permissions *permissions, psp_buf *body);
/** Reads the answer, {"permissions":["…"]} with those that are granted. Pure. */
psprobe_code psp_permissions_read(psp_permissions *permissions, const char *answer, size_t len,
                                  psprobe_error *error);
/** POST …:testIamPermissions of a topic or subscription. */
psprobe_code psp_permissions_ask(psp_doctor *d, const char *full_name, const char *what,
                                 psp_permissions *permissions, psprobe_error *error);
/** The same of the project, at the Resource Manager. */
psprobe_code psp_permissions_ask_project(psp_doctor *d, psp_permissions *permissions,
                                         psprobe_error *error);

/* ---- APIs (api.c) ---- */

/** "host:port", or NULL for Google's. */
const char *psp_doctor_emulator(const psp_doctor *d, psp_service service);
/** Whether the API can be asked about `check`; false: it was said why not, as skipped. */
bool psp_doctor_may_ask(psp_doctor *d, psp_service service, const char *check,
                        const char *resource);
/** What a call succeeded with must be an object, with `member` in it if that is given: a captive
 * portal says 200, too, and shows a page. @return PSPROBE_OK, or UNKNOWN as of a stranger */
psprobe_code psp_doctor_check_answer(const psp_buf *answer, const char *member,
                                     psprobe_error *error);
/** What a call that failed says about its API, as the finding `check`: disabled, a token refused,
 * not reached, …. @return true: there is no point in asking that API more */
bool psp_doctor_api_failed(psp_doctor *d, psp_service service, const psprobe_error *error);

#endif
