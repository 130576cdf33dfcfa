/* SPDX-License-Identifier: MIT */
/** @file A call without memory: each allocation of its two sides fails once, and all that follow.
 * It ends once, with an error that says so, and nothing is lost or read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "failing_malloc.h"
#include "grpc/channel.h"
#include "grpc/session.h"
#include "grpc/words.h"

#define LONG 40000 /* bytes of a message: more than a DATA frame, and than the window */

static char text[LONG];

static struct call {
  psp_session *client, *server;
  psp_rpc *served;
  size_t got; /* bytes of the answer's messages */
  unsigned ends;
  psprobe_code code;
  bool told; /* why */
} c;

static void on_request(void *arg, const void *data, size_t len) {
  (void)arg;
  psp_rpc_send(c.served, data, len);
}

static void on_half_closed(void *arg) {
  (void)arg;
  psp_rpc_finish(c.served, PSPROBE_OK, "");
}

static void on_served(void *arg, const psp_rpc_status *status) {
  (void)arg, (void)status;
  c.served = NULL;
}

static const psp_rpc_events serving = {
    .message = on_request, .half_closed = on_half_closed, .end = on_served};

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  (void)arg, (void)path;
  c.served = rpc;
  psp_rpc_set_events(rpc, &serving, NULL);
}

static void on_answer(void *arg, const void *data, size_t len) {
  (void)arg;
  assert_memory_equal(data, text, len < LONG ? len : LONG);
  c.got += len;
}

static void on_end(void *arg, const psp_rpc_status *status) {
  (void)arg;
  c.ends++;
  c.code = status->code;
  c.told = status->message[0] != 0;
}

static const psp_rpc_events events = {.message = on_answer, .end = on_end};

/* @return whether both go on */
static bool carry(psp_session *from, psp_session *to) {
  psp_buf bytes = {0};
  bool ok = psp_session_give(from, &bytes, 1 << 14);
  if (bytes.len > 0) ok = psp_session_take(to, bytes.data, bytes.len, 1) && ok;
  psp_buf_free(&bytes);
  return ok;
}

static psp_rpc *begin(void) {
  psp_fields fields = {.first = NULL};
  psp_rpc *rpc = NULL;
  if (psp_fields_add(&fields, "x-text", "value", 5) &&
      psp_fields_add(&fields, "x-raw-bin", "\0\1\2", 3))
    rpc = psp_rpc_new(&(psp_rpc_request){.path = "/echo",
                                         .fields = &fields,
                                         .deadline_ns = INT64_MAX,
                                         .message = text,
                                         .len = LONG,
                                         .only = true,
                                         .events = &events});
  psp_fields_clear(&fields);
  return rpc;
}

static bool call_once(void *arg) {
  psp_session_options options = {.authority = "a", .window = 1024, .accept = on_accept};
  (void)arg;
  c = (struct call){.ends = 0};
  c.client = psp_session_new(&options);
  options.server = true;
  c.server = psp_session_new(&options);
  psp_rpc *rpc = c.client != NULL && c.server != NULL ? begin() : NULL;
  if (rpc != NULL) psp_session_begin(c.client, rpc, 1);
  for (int turns = 1000; rpc != NULL && c.ends == 0 && turns > 0; turns--)
    if (!carry(c.client, c.server) || !carry(c.server, c.client)) break;
  psp_session_free(c.client);
  psp_session_free(c.server);
  assert_int_equal(c.ends, rpc != NULL);
  const bool done = rpc != NULL && c.code == PSPROBE_OK;
  if (done) assert_int_equal(c.got, LONG);
  if (rpc != NULL && !done) assert_true(c.told);
  return done;
}

static void test_call(void **state) {
  (void)state;
  memset(text, 'x', sizeof text);
  assert_true(failing_each(call_once, NULL) > 20);
}

/* The words that wait, to the first `most` letters of `said`. @return how many */
static size_t hear(psp_words *words, psp_rpc_word *said, size_t most) {
  bool closing;
  size_t count = 0;
  psp_rpc_command *command = psp_words_take(words, &closing);
  for (psp_rpc_command *next; command != NULL; command = next) {
    next = command->next;
    assert_true(count < most);
    assert_int_equal(command->id, 7);
    assert_string_equal(command->data, "");
    if (command->word == PSP_WORD_FINISH) assert_int_equal(command->code, PSPROBE_ABORTED);
    said[count++] = command->word;
    psp_words_done(words, command);
  }
  return count;
}

/* A word that is lost would be a call that waits for ever. */
static void test_words(void **state) {
  (void)state;
  static const psp_rpc_word told[] = {PSP_WORD_PAUSE,  PSP_WORD_RESUME,  PSP_WORD_HALF_CLOSE,
                                      PSP_WORD_PAUSE,  PSP_WORD_RESUME,  PSP_WORD_FINISH,
                                      PSP_WORD_CANCEL, PSP_WORD_GIVE_UP, PSP_WORD_RESUME};
  static const psp_rpc_word heard[] = {PSP_WORD_RESUME, PSP_WORD_HALF_CLOSE, PSP_WORD_FINISH,
                                       PSP_WORD_CANCEL};
  psp_rpc_word said[4];
  psp_words words = {0};
  assert_true(psp_words_init(&words, 100));
  atomic_store(&words.meter.calls, 1);
  failing_after = 3;
  assert_false(psp_words_reserve(&words));
  failing_after = -1;
  assert_true(psp_words_reserve(&words));
  failing_after = 0;
  for (int round = 0; round < 10; round++) {
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
      assert_int_equal(psp_words_tell(&words, told[i], 7, PSPROBE_ABORTED, "why", 3), PSPROBE_OK);
    assert_int_equal(hear(&words, said, 4), 4);
    assert_memory_equal(said, heard, sizeof heard);
  }
  assert_int_equal(psp_words_tell(&words, PSP_WORD_SEND, 7, PSPROBE_OK, "x", 1),
                   PSPROBE_RESOURCE_EXHAUSTED);
  failing_after = -1;
  assert_int_equal(atomic_load(&words.meter.unsent), 0);
  psp_words_clear(&words);
}

/* One that cannot be made says so. With memory for its thread, that would take its own. */
static void test_new_channel(void **state) {
  (void)state;
  for (long after = 0; after < 4; after++) {
    psp_channel *channel = NULL;
    psprobe_error error = {0};
    failing_failed = false;
    failing_after = after;
    psprobe_code code =
        psp_channel_new(&(psp_channel_options){.target = "127.0.0.1:1"}, &channel, &error);
    failing_after = -1;
    assert_true(failing_failed);
    assert_int_equal(code, PSPROBE_RESOURCE_EXHAUSTED);
    assert_null(channel);
    assert_non_null(strstr(error.message, "memory"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_call), cmocka_unit_test(test_words),
                                     cmocka_unit_test(test_new_channel)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
