/* SPDX-License-Identifier: MIT */
#include "grpc/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool psp_words_init(psp_words *words, size_t max_unsent) {
  words->max_unsent = max_unsent;
  words->end = &words->first;
  pthread_mutex_init(&words->lock, NULL);
  words->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return words->wake >= 0;
}

static void free_list(psp_rpc_command *first) {
  for (psp_rpc_command *c = first, *next; c != NULL; c = next) {
    next = c->next;
    psp_rpc_free(c->rpc);
    psp_link_free(c->link);
    free(c);
  }
}

void psp_words_clear(psp_words *words) {
  free_list(words->first);
  free_list(words->spare);
  if (words->wake >= 0) close(words->wake);
  pthread_mutex_destroy(&words->lock);
}

void psp_words_ring(const psp_words *words) {
  const uint64_t one = 1;
  while (write(words->wake, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

bool psp_words_sleep(psp_words *words) {
  pthread_mutex_lock(&words->lock);
  bool asleep = words->first == NULL && !words->closing;
  words->asleep = asleep;
  pthread_mutex_unlock(&words->lock);
  return asleep;
}

void psp_words_hear(psp_words *words, bool rung) {
  uint64_t ignored;
  pthread_mutex_lock(&words->lock);
  words->asleep = false;
  pthread_mutex_unlock(&words->lock);
  if (!rung) return;
  while (read(words->wake, &ignored, sizeof ignored) < 0 && errno == EINTR) {
  }
}

void psp_words_close(psp_words *words) {
  pthread_mutex_lock(&words->lock);
  words->closing = true;
  pthread_mutex_unlock(&words->lock);
  psp_words_ring(words);
}

/* One ring is enough until it was heard, and none for who is awake. */
static bool push(psp_words *words, psp_rpc_command *c) {
  pthread_mutex_lock(&words->lock);
  bool open = !words->closing, asleep = words->asleep;
  if (open) {
    *words->end = c;
    words->end = &c->next;
    words->asleep = false;
  }
  pthread_mutex_unlock(&words->lock);
  if (open && asleep) psp_words_ring(words);
  return open;
}

static psp_rpc_command *make(psp_rpc_word word, const void *data, size_t len) {
  psp_rpc_command *c = malloc(sizeof *c + len + 1);
  if (c == NULL) return NULL;
  *c = (psp_rpc_command){.word = word, .len = len};
  if (len > 0) memcpy(c->data, data, len);
  c->data[len] = 0;
  return c;
}

/* ---- without memory ---- */

/* Of each kind one that waits is enough: the last word holds. */
static int kind_of(psp_rpc_word word) {
  switch (word) {
    case PSP_WORD_RESUME:
      return PSP_WORD_PAUSE;
    case PSP_WORD_GIVE_UP:
      return PSP_WORD_CANCEL;
    default:
      return (int)word;
  }
}
/* Half-closed, paused, cancelled (a server's call: finished): one that waits and one that is being
 * obeyed. */
#define SPARES 6

bool psp_words_reserve(psp_words *words) {
  const size_t enough = SPARES * (size_t)atomic_load(&words->meter.calls);
  pthread_mutex_lock(&words->lock);
  while (words->spares < enough) {
    psp_rpc_command *c = make(PSP_WORD_CANCEL, NULL, 0);
    if (c == NULL) break;
    c->spare = true;
    c->next = words->spare;
    words->spare = c;
    words->spares++;
  }
  const bool done = words->spares >= enough;
  pthread_mutex_unlock(&words->lock);
  return done;
}

void psp_words_done(psp_words *words, psp_rpc_command *c) {
  if (!c->spare) {
    free(c);
    return;
  }
  pthread_mutex_lock(&words->lock);
  c->next = words->spare;
  words->spare = c;
  pthread_mutex_unlock(&words->lock);
}

/* A spare one to push; or one that waits is made the new word, which is `amended`. */
static psp_rpc_command *make_do(psp_words *words, psp_rpc_word word, uint64_t id, bool *amended) {
  pthread_mutex_lock(&words->lock);
  psp_rpc_command *c = words->first;
  while (c != NULL && (c->id != id || kind_of(c->word) != kind_of(word)))
    c = c->next;
  *amended = c != NULL;
  if (c != NULL && c->word != PSP_WORD_CANCEL) c->word = word;
  if (c == NULL && words->spare != NULL) {
    c = words->spare;
    words->spare = c->next;
    *c = (psp_rpc_command){.word = word, .spare = true};
  }
  pthread_mutex_unlock(&words->lock);
  return c;
}

psprobe_code psp_words_begin(psp_words *words, psp_rpc *rpc) {
  bool fits = atomic_load(&words->meter.unsent) <= words->max_unsent;
  psp_rpc_command *c = fits ? make(PSP_WORD_BEGIN, NULL, 0) : NULL;
  if (c == NULL) return PSPROBE_RESOURCE_EXHAUSTED;
  c->rpc = rpc;
  if (push(words, c)) return PSPROBE_OK;
  free(c);
  return PSPROBE_CANCELLED;
}

bool psp_words_add(psp_words *words, psp_link *link) {
  psp_rpc_command *c = make(PSP_WORD_ADD, NULL, 0);
  if (c != NULL) c->link = link;
  if (c != NULL && push(words, c)) return true;
  free(c);
  return false;
}

psprobe_code psp_words_tell(psp_words *words, psp_rpc_word word, uint64_t id, psprobe_code code,
                            const void *data, size_t len) {
  size_t counted = word == PSP_WORD_SEND ? len : 0;
  bool fits = atomic_fetch_add(&words->meter.unsent, counted) + counted <= words->max_unsent;
  psp_rpc_command *c = fits || counted == 0 ? make(word, data, len) : NULL;
  bool amended = false;
  if (c == NULL && word != PSP_WORD_SEND && word != PSP_WORD_DETAIL)
    c = make_do(words, word, id, &amended);
  if (c != NULL && !amended) {
    c->id = id;
    c->code = code;
    if (push(words, c)) return PSPROBE_OK;
    psp_words_done(words, c);
  }
  atomic_fetch_sub(&words->meter.unsent, counted);
  return c != NULL ? PSPROBE_OK : PSPROBE_RESOURCE_EXHAUSTED;
}

psp_rpc_command *psp_words_take(psp_words *words, bool *closing) {
  pthread_mutex_lock(&words->lock);
  psp_rpc_command *first = words->first;
  words->first = NULL;
  words->end = &words->first;
  *closing = words->closing;
  pthread_mutex_unlock(&words->lock);
  return first;
}

bool psp_words_has(psp_words *words) {
  pthread_mutex_lock(&words->lock);
  bool has = words->first != NULL || words->closing;
  pthread_mutex_unlock(&words->lock);
  return has;
}
