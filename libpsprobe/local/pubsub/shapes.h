/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_PUBSUB_SHAPES_H
#define PSP_LOCAL_PUBSUB_SHAPES_H
/** @file Pub/Sub's messages as tables (google/pubsub/v1/pubsub.proto): what the broker knows. */
#include "local/proto_json.h"

extern const psp_proto_field psp_shape_empty[], psp_shape_topic[], psp_shape_update_topic[],
    psp_shape_get_topic[], psp_shape_list[], psp_shape_topics[], psp_shape_list_of_topic[],
    psp_shape_names[], psp_shape_publish[], psp_shape_published[], psp_shape_subscription[],
    psp_shape_update_subscription[], psp_shape_get_subscription[], psp_shape_subscriptions[],
    psp_shape_modify[], psp_shape_acknowledge[], psp_shape_pull[], psp_shape_pulled[],
    psp_shape_push[], psp_shape_snapshot[], psp_shape_create_snapshot[],
    psp_shape_update_snapshot[], psp_shape_get_snapshot[], psp_shape_snapshots[],
    psp_shape_snapshot_names[], psp_shape_seek[], psp_shape_policy[], psp_shape_get_policy[],
    psp_shape_set_policy[], psp_shape_test_policy[], psp_shape_granted[], psp_shape_error_info[];

#endif
