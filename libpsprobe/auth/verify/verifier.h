/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_VERIFIER_H
#define PSP_AUTH_VERIFY_VERIFIER_H
/** @file The verifier of ID tokens as a server uses it: without waiting on a server's thread. */
#include <psprobe/auth.h>

#include "http/client/transport.h"
#include "os/clock.h"

/**
 * The outcome, once: PSPROBE_OK and who it is; or UNAUTHENTICATED (answer 401, with
 * `WWW-Authenticate: Bearer`), PERMISSION_DENIED (403), UNAVAILABLE (503), with a message that may
 * be shown. On the caller's thread before psp_verifier_start returns when there is nothing to
 * compute or to wait for, as with a token that was good before; else on one of the verifier's.
 * `arg` and `subject` are what psp_verifier_start was given.
 */
typedef void psp_verifier_done(void *arg, void *subject, const psprobe_identity *identity,
                               const psprobe_error *error);

/** Looks at a request's Authorization header. `authorization` NULL: it had none. More than one
 * such header: pass NULL too. */
void psp_verifier_start(psprobe_verifier *verifier, const char *authorization,
                        psp_verifier_done *done, void *arg, void *subject);

/**
 * Fetches no more keys: whoever waits for some is answered, and nobody waits from now on. At the
 * end of a server: stop its verifier, free the server, free the verifier. NULL is fine.
 */
void psp_verifier_stop(psprobe_verifier *verifier);

/** psprobe_verifier_new with a clock and connections (taken, also on failure), for tests. Either
 * may be NULL. */
psprobe_code psp_verifier_new_with(const psprobe_verifier_options *options, const psp_clock *clock,
                                   psp_http *http, psprobe_verifier **verifier,
                                   psprobe_error *error);

#endif
