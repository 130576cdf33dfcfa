/* SPDX-License-Identifier: MIT */
/** @file What comes on a stream, and the details of a call that failed: both protobuf. */
#include "fuzz_message.h"
#include "pubsub/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_stream_answer answer = {.batch = NULL};
  psp_ack_fates fates;
  psprobe_error error = {0};
  if (psp_proto_stream_answer(data, size, &answer, &error) == PSPROBE_OK) {
    for (size_t i = 0; answer.batch != NULL && i < psprobe_batch_count(answer.batch); i++)
      fuzz_look_at(psprobe_batch_message(answer.batch, i));
    psprobe_batch_free(answer.batch);
  } else {
    FUZZ_ASSERT(error.message[0] != '\0');
  }
  psp_proto_fates(data, size, &fates);
  for (size_t i = 0; i < fates.count; i++)
    FUZZ_ASSERT(psp_ack_fates_find(&fates, fates.list[i].ack_id) != NULL);
  psp_ack_fates_free(&fates);
  return 0;
}
