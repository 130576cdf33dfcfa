/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_WORDS_H
#define PSP_GRPC_WORDS_H
/** @file What threads tell a loop of its calls: a queue whose lock is held for some instructions.
 */
#include <pthread.h>

#include "grpc/link.h"
#include "grpc/rpc.h"

/** What is told of a call. */
typedef enum psp_rpc_word {
  PSP_WORD_BEGIN, /**< psp_words_begin's */
  PSP_WORD_ADD,   /**< psp_words_add's */
  PSP_WORD_SEND,
  PSP_WORD_HALF_CLOSE,
  PSP_WORD_PAUSE,
  PSP_WORD_RESUME,
  PSP_WORD_CANCEL,
  PSP_WORD_GIVE_UP, /**< cancelled, since its peer is silent */
  PSP_WORD_DETAIL,
  PSP_WORD_FINISH /**< with a code; the data are the message's text, without its zero */
} psp_rpc_word;

typedef struct psp_rpc_command {
  struct psp_rpc_command *next;
  psp_rpc_word word;
  uint64_t id;
  psp_rpc *rpc;
  psp_link *link;
  psprobe_code code;
  bool spare;
  size_t len;
  char data[]; /**< with a zero beyond */
} psp_rpc_command;

typedef struct psp_words {
  int wake; /**< an eventfd: there is something to hear */
  size_t max_unsent;
  psp_rpc_meter meter;  /**< messages that wait here count as unsent */
  pthread_mutex_t lock; /* over what follows */
  psp_rpc_command *first, **end;
  psp_rpc_command *spare; /* for when there is no memory */
  size_t spares;          /* those in use included */
  bool closing, asleep;
} psp_words;

/** False: no file descriptors; psp_words_clear is fine all the same. */
bool psp_words_init(psp_words *words, size_t max_unsent);
/** Frees what nobody took. */
void psp_words_clear(psp_words *words);
/** No more is taken; wakes the loop. */
void psp_words_close(psp_words *words);

/** Takes a call, whose bytes the meter knows.
 * @return OK; else it is the caller's: RESOURCE_EXHAUSTED (as below), CANCELLED (closed) */
psprobe_code psp_words_begin(psp_words *words, psp_rpc *rpc);
/** Takes a link. False: closed, or no memory; it is the caller's. */
bool psp_words_add(psp_words *words, psp_link *link);
/** Sees to it that whatever is told of the calls that the meter counts, but messages and details,
 * needs no memory. False: there is none. */
bool psp_words_reserve(psp_words *words);
/** @return OK, also when closed; RESOURCE_EXHAUSTED: no memory, or too much is unsent. Of a call
 * that psp_words_reserve has seen, what carries no data is never refused, and an end without memory
 * is told without its text. */
psprobe_code psp_words_tell(psp_words *words, psp_rpc_word word, uint64_t id, psprobe_code code,
                            const void *data, size_t len);

/** The loop's: all there is, in order, each for psp_words_done. */
psp_rpc_command *psp_words_take(psp_words *words, bool *closing);
void psp_words_done(psp_words *words, psp_rpc_command *command);
bool psp_words_has(psp_words *words); /**< something, or that it closes */
/** The loop is about to wait: from now on it is rung for. False: it need not, there is something.
 */
bool psp_words_sleep(psp_words *words);
/** It has waited. @param rung `wake` can be read */
void psp_words_hear(psp_words *words, bool rung);
void psp_words_ring(const psp_words *words);

#endif
