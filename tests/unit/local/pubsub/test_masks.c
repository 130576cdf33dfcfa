/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "local/broker/settings.h"
#include "local/pubsub/masks.h"

static void test_of_subscriptions(void **state) {
  (void)state;
  static const struct {
    const char *mask;
    unsigned bits;
    const char *error;
  } cases[] = {
      {"ackDeadlineSeconds", PSP_SUB_ACK_DEADLINE, NULL},
      {"ack_deadline_seconds,pushConfig", PSP_SUB_ACK_DEADLINE | PSP_SUB_PUSH, NULL},
      {"retryPolicy,deadLetterPolicy,retainAckedMessages,messageRetentionDuration,"
       "enableExactlyOnceDelivery",
       PSP_SUB_RETRY | PSP_SUB_DEAD_LETTER | PSP_SUB_RETAIN | PSP_SUB_RETENTION |
           PSP_SUB_EXACTLY_ONCE,
       NULL},
      {NULL, 0,
       "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a non-empty "
       "paths list."},
      {",", 0,
       "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a non-empty "
       "paths list."},
      {"pushConfig.pushEndpoint", 0,
       "Invalid update_mask provided in the UpdateSubscriptionRequest: push_config.push_endpoint "
       "is "
       "not a known Subscription field. Note that field paths must be of the form 'push_config' "
       "rather than 'pushConfig'."},
      {"ackDeadlineSeconds,topic", 0,
       "Invalid update_mask provided in the UpdateSubscriptionRequest: the topic field in the "
       "Subscription is not mutable."},
      {"labels,expirationPolicy", PSP_SUB_LABELS | PSP_SUB_EXPIRATION, NULL},
      {"filter", 0,
       "Invalid update_mask provided in the UpdateSubscriptionRequest: the filter field in the "
       "Subscription is not mutable."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    unsigned bits;
    psprobe_error error = {0};
    psprobe_code code = psp_subscription_mask_parse(cases[i].mask, &bits, &error);
    assert_int_equal(code, cases[i].error != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    if (cases[i].error != NULL)
      assert_string_equal(error.message, cases[i].error);
    else
      assert_int_equal(bits, cases[i].bits);
  }
}

static void test_of_topics_and_snapshots(void **state) {
  (void)state;
  unsigned bits;
  psprobe_error error = {0};
  assert_int_equal(psp_topic_mask_parse("message_retention_duration,labels", &bits, &error),
                   PSPROBE_OK);
  assert_int_equal(bits, PSP_TOPIC_RETENTION | PSP_TOPIC_LABELS);
  assert_int_equal(
      psp_topic_mask_parse("schemaSettings,messageStoragePolicy,kmsKeyName", &bits, &error),
      PSPROBE_OK);
  assert_int_equal(bits, PSP_TOPIC_SCHEMA | PSP_TOPIC_STORAGE | PSP_TOPIC_KMS_KEY);
  assert_int_equal(psp_topic_mask_parse("bogus", &bits, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_topic_mask_parse(NULL, &bits, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psp_topic_mask_parse("messageTransforms", &bits, &error), PSPROBE_UNIMPLEMENTED);
  assert_string_equal(error.message, "This stand-in has no message_transforms.");
  assert_int_equal(psp_snapshot_mask_parse("expireTime,labels", &bits, &error), PSPROBE_OK);
  assert_int_equal(bits, PSP_SNAPSHOT_EXPIRES | PSP_SNAPSHOT_LABELS);
  assert_int_equal(psp_snapshot_mask_parse("topic", &bits, &error), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_of_subscriptions),
      cmocka_unit_test(test_of_topics_and_snapshots),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
