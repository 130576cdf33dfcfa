// SPDX-License-Identifier: MIT

// Google's Go client (Debian's golang-google-cloud-dev), by gRPC and unchanged, through topics,
// subscriptions and messages. With `emulator` what Google's emulator does not do is left out.
// usage: pubsub HOST:PORT [emulator]
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/iam"
	"cloud.google.com/go/pubsub"
	raw "cloud.google.com/go/pubsub/apiv1"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	pb "google.golang.org/genproto/googleapis/pubsub/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/golang/protobuf/ptypes"
)

const project = "projects/interop/"

var (
	client     *pubsub.Client
	subscriber *raw.SubscriberClient
	ctx        = context.Background()
	passed     int32
	failed     int32
	running    sync.WaitGroup
)

// ---- checking: what panics ends its step ----

func need(err error) {
	if err != nil {
		panic(err)
	}
}

func check(ok bool, format string, args ...interface{}) {
	if !ok {
		panic(fmt.Errorf(format, args...))
	}
}

func refused(code codes.Code, err error) {
	check(status.Code(err) == code, "%v where %v is due", err, code)
}

// Each has topics and subscriptions of its own, so all run side by side.
func step(name string, run func()) {
	running.Add(1)
	go func() {
		defer running.Done()
		defer func() {
			if fault := recover(); fault != nil {
				fmt.Fprintf(os.Stderr, "FAILED %s: %v\n", name, fault)
				atomic.AddInt32(&failed, 1)
			} else {
				atomic.AddInt32(&passed, 1)
			}
		}()
		run()
	}()
}

// ---- what steps need ----

func newTopic(id string) *pubsub.Topic {
	topic, err := client.CreateTopic(ctx, id)
	need(err)
	return topic
}

func newSubscription(id string, config pubsub.SubscriptionConfig) *pubsub.Subscription {
	subscription, err := client.CreateSubscription(ctx, id, config)
	need(err)
	return subscription
}

func of(topic *pubsub.Topic) pubsub.SubscriptionConfig {
	return pubsub.SubscriptionConfig{Topic: topic}
}

func publish(topic *pubsub.Topic, messages ...*pubsub.Message) []string {
	var ids []string
	var results []*pubsub.PublishResult
	for _, message := range messages {
		results = append(results, topic.Publish(ctx, message))
	}
	for _, result := range results {
		id, err := result.Get(ctx)
		need(err)
		ids = append(ids, id)
	}
	return ids
}

func text(data string) *pubsub.Message {
	return &pubsub.Message{Data: []byte(data)}
}

// What `take` keeps, until there are `count`; fails after 30 s.
func receive(subscription *pubsub.Subscription, count int, take func(*pubsub.Message) bool) []*pubsub.Message {
	var lock sync.Mutex
	var taken []*pubsub.Message
	bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := subscription.Receive(bounded, func(_ context.Context, message *pubsub.Message) {
		if !take(message) {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		taken = append(taken, message)
		if len(taken) == count {
			cancel()
		}
	})
	// By unary pulls this client calls its own end an error.
	check(err == nil || status.Code(err) == codes.Canceled, "received: %v", err)
	check(len(taken) == count, "%d of %d messages", len(taken), count)
	return taken
}

func acked(message *pubsub.Message) bool {
	message.Ack()
	return true
}

func distinct(messages []*pubsub.Message) int {
	seen := map[string]bool{}
	for _, message := range messages {
		seen[string(message.Data)] = true
	}
	return len(seen)
}

func pull(name string, most int32) []*pb.ReceivedMessage {
	answer, err := subscriber.Pull(ctx, &pb.PullRequest{Subscription: name, MaxMessages: most})
	need(err)
	return answer.ReceivedMessages
}

// ---- steps: settings ----

func topics() {
	topic, err := client.CreateTopicWithConfig(ctx, "topics", &pubsub.TopicConfig{Labels: map[string]string{"a": "b"}})
	need(err)
	_, err = client.CreateTopic(ctx, "topics")
	refused(codes.AlreadyExists, err)
	config, err := topic.Config(ctx)
	need(err)
	check(len(config.Labels) == 1 && config.Labels["a"] == "b", "labels %v", config.Labels)
	_, err = client.Topic("none").Config(ctx)
	refused(codes.NotFound, err)
	_, err = client.CreateTopic(ctx, "x")
	refused(codes.InvalidArgument, err)
	exists, err := client.Topic("none").Exists(ctx)
	need(err)
	check(!exists, "none exists")
	found := false
	for all := client.Topics(ctx); ; {
		one, err := all.Next()
		if err == iterator.Done {
			break
		}
		need(err)
		found = found || one.ID() == "topics"
	}
	check(found, "not listed")
	need(topic.Delete(ctx))
	refused(codes.NotFound, topic.Delete(ctx))
}

func fullConfig(topic, dead *pubsub.Topic) pubsub.SubscriptionConfig {
	return pubsub.SubscriptionConfig{
		Topic: topic, AckDeadline: 20 * time.Second, EnableMessageOrdering: true,
		RetentionDuration: 10 * time.Minute, ExpirationPolicy: 48 * time.Hour, Labels: map[string]string{"x": "y"},
		DeadLetterPolicy: &pubsub.DeadLetterPolicy{DeadLetterTopic: dead.String(), MaxDeliveryAttempts: 7},
	}
}

func subscriptions() {
	topic, dead := newTopic("subscriptions"), newTopic("subscriptions-dead")
	full := newSubscription("full", fullConfig(topic, dead))
	got, err := full.Config(ctx)
	need(err)
	check(got.AckDeadline == 20*time.Second && got.RetentionDuration == 10*time.Minute &&
		got.ExpirationPolicy == 48*time.Hour && got.Labels["x"] == "y" &&
		got.DeadLetterPolicy != nil && got.DeadLetterPolicy.MaxDeliveryAttempts == 7, "settings %+v", got)
	plain, err := subscriber.GetSubscription(ctx, &pb.GetSubscriptionRequest{Subscription: full.String()})
	need(err)
	check(plain.EnableMessageOrdering, "not ordered") // which this client does not read
	got, err = full.Update(ctx, pubsub.SubscriptionConfigToUpdate{AckDeadline: 30 * time.Second})
	need(err)
	check(got.AckDeadline == 30*time.Second && got.RetentionDuration == 10*time.Minute, "updated to %+v", got)
	got, err = full.Update(ctx, pubsub.SubscriptionConfigToUpdate{PushConfig: &pubsub.PushConfig{Endpoint: "http://127.0.0.1:9/x"}})
	need(err)
	check(got.PushConfig.Endpoint == "http://127.0.0.1:9/x", "push %+v", got.PushConfig)
	one, err := topic.Subscriptions(ctx).Next()
	need(err)
	check(one.ID() == "full", "of the topic: %v", one)
	_, err = client.CreateSubscription(ctx, "full", of(topic))
	refused(codes.AlreadyExists, err)
	_, err = client.CreateSubscription(ctx, "absent", of(client.Topic("none")))
	refused(codes.NotFound, err)
	need(full.Delete(ctx))
	_, err = full.Config(ctx)
	refused(codes.NotFound, err)
}

// What this client has no words for: its generated layer has, or carries it as it came.
func newerSettings() {
	topic := newTopic("newer")
	once := []byte{0x80, 0x01, 0x01} // enable_exactly_once_delivery, 16
	wanted := &pb.Subscription{
		Name: project + "subscriptions/newer", Topic: topic.String(), Filter: `attributes.k = "v"`,
		RetryPolicy:      &pb.RetryPolicy{MinimumBackoff: ptypes.DurationProto(time.Second), MaximumBackoff: ptypes.DurationProto(2500 * time.Millisecond)},
		XXX_unrecognized: once,
	}
	_, err := subscriber.CreateSubscription(ctx, wanted)
	need(err)
	got, err := subscriber.GetSubscription(ctx, &pb.GetSubscriptionRequest{Subscription: wanted.Name})
	need(err)
	check(got.Filter == wanted.Filter, "filter %q", got.Filter)
	check(got.RetryPolicy.GetMaximumBackoff().GetNanos() == 500000000, "retry policy %v", got.RetryPolicy)
	check(bytes.Contains(got.XXX_unrecognized, once), "exactly-once: %x", got.XXX_unrecognized)
	_, err = subscriber.CreateSubscription(ctx, &pb.Subscription{Name: project + "subscriptions/high", Topic: topic.String(), AckDeadlineSeconds: 601})
	refused(codes.InvalidArgument, err)
}

// ---- steps: messages ----

func messages() {
	topic := newTopic("messages")
	subscription := newSubscription("messages", of(topic))
	one := &pubsub.Message{Data: []byte("one"), Attributes: map[string]string{"k": "v", "empty": "", "é": "ü"}}
	ids := publish(topic, one, text("\x00\xff\n"), &pubsub.Message{Attributes: map[string]string{"only": "this"}})
	got := receive(subscription, 3, acked)
	sort.Slice(got, func(i, j int) bool { return bytes.Compare(got[i].Data, got[j].Data) < 0 })
	check(len(got[0].Data) == 0 && got[0].Attributes["only"] == "this", "%v", got[0])
	check(string(got[1].Data) == "\x00\xff\n" && len(got[1].Attributes) == 0, "%v", got[1])
	check(len(got[2].Attributes) == 3 && got[2].Attributes["é"] == "ü", "%v", got[2].Attributes)
	check(got[2].ID == ids[0] && ids[0] != ids[1] && ids[1] != ids[2], "ids %v, %v", ids, got[2].ID)
	check(time.Since(got[2].PublishTime) < time.Minute, "published %v", got[2].PublishTime)
	_, err := client.Topic("none").Publish(ctx, text("x")).Get(ctx)
	refused(codes.NotFound, err)
}

func many(synchronous bool) func() {
	return func() {
		id := fmt.Sprintf("many-%v", synchronous)
		topic := newTopic(id)
		subscription := newSubscription(id, of(topic))
		subscription.ReceiveSettings.Synchronous = synchronous // by unary pulls
		all := make([]*pubsub.Message, 3000)
		for i := range all {
			all[i] = text(strconv.Itoa(i))
		}
		publish(topic, all...)
		check(distinct(receive(subscription, len(all), acked)) == len(all), "some twice")
	}
}

func order() {
	topic := newTopic("order")
	topic.EnableMessageOrdering = true
	subscription := newSubscription("order", pubsub.SubscriptionConfig{Topic: topic, EnableMessageOrdering: true})
	all := make([]*pubsub.Message, 2000)
	for i := range all {
		all[i] = text(strconv.Itoa(i))
		all[i].OrderingKey = fmt.Sprintf("k%d", i%4)
	}
	publish(topic, all...)
	var lock sync.Mutex
	last := map[string]int{}
	wrong := 0
	receive(subscription, len(all), func(message *pubsub.Message) bool {
		lock.Lock()
		defer lock.Unlock()
		number, _ := strconv.Atoi(string(message.Data))
		if previous, ok := last[message.OrderingKey]; ok && number <= previous {
			wrong++
		}
		last[message.OrderingKey] = number
		return acked(message)
	})
	check(wrong == 0, "%d messages out of order", wrong)
}

func nack() {
	topic := newTopic("nack")
	subscription := newSubscription("nack", of(topic))
	publish(topic, text("again"))
	var came int32
	receive(subscription, 1, func(message *pubsub.Message) bool {
		if atomic.AddInt32(&came, 1) <= 2 {
			message.Nack()
			return false
		}
		return acked(message)
	})
	check(came == 3, "came %d times", came)
}

func deadLetter() {
	topic, dead := newTopic("dead-letter"), newTopic("dead-letter-dead")
	grave := newSubscription("dead-letter-dead", of(dead))
	subscription := newSubscription("dead-letter", pubsub.SubscriptionConfig{Topic: topic,
		DeadLetterPolicy: &pubsub.DeadLetterPolicy{DeadLetterTopic: dead.String(), MaxDeliveryAttempts: 5}})
	publish(topic, text("dead"))
	var attempts []int
	receiving, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		done <- subscription.Receive(receiving, func(_ context.Context, message *pubsub.Message) {
			attempts = append(attempts, *message.DeliveryAttempt) // one message: never side by side
			message.Nack()
		})
	}()
	got := receive(grave, 1, acked)
	cancel()
	need(<-done)
	check(string(got[0].Data) == "dead", "%v", got[0])
	check(fmt.Sprint(attempts) == "[1 2 3 4 5]", "attempts %v", attempts)
}

func flowControl() {
	topic := newTopic("flow")
	subscription := newSubscription("flow", of(topic))
	subscription.ReceiveSettings.MaxOutstandingMessages = 5
	subscription.ReceiveSettings.NumGoroutines = 1
	for i := 0; i < 40; i++ {
		publish(topic, text(strconv.Itoa(i)))
	}
	var out, most int32
	got := receive(subscription, 40, func(message *pubsub.Message) bool {
		if now := atomic.AddInt32(&out, 1); now > atomic.LoadInt32(&most) {
			atomic.StoreInt32(&most, now)
		}
		time.Sleep(20 * time.Millisecond)
		atomic.AddInt32(&out, -1)
		return acked(message)
	})
	check(distinct(got) == 40 && most <= 5, "%d messages, %d at once", distinct(got), most)
}

// Its lease is extended as long as it works.
func slowHandler() {
	topic := newTopic("slow")
	subscription := newSubscription("slow", pubsub.SubscriptionConfig{Topic: topic, AckDeadline: 10 * time.Second})
	publish(topic, text("slow"))
	var came int32
	receive(subscription, 1, func(message *pubsub.Message) bool {
		atomic.AddInt32(&came, 1)
		time.Sleep(15 * time.Second)
		return acked(message)
	})
	check(came == 1, "came %d times", came)
	check(len(unwaited(project+"subscriptions/slow")) == 0, "it is there still")
}

func unwaited(name string) []*pb.ReceivedMessage {
	answer, err := subscriber.Pull(ctx, &pb.PullRequest{Subscription: name, MaxMessages: 10, ReturnImmediately: true})
	need(err)
	return answer.ReceivedMessages
}

func unaryCalls() {
	topic := newTopic("unary")
	name := newSubscription("unary", of(topic)).String()
	publish(topic, text("pulled"))
	got := pull(name, 10)
	check(len(got) == 1 && string(got[0].Message.Data) == "pulled", "%v", got)
	ids := []string{got[0].AckId}
	need(subscriber.ModifyAckDeadline(ctx, &pb.ModifyAckDeadlineRequest{Subscription: name, AckIds: ids, AckDeadlineSeconds: 0}))
	again := pull(name, 10)
	check(len(again) == 1 && again[0].Message.MessageId == got[0].Message.MessageId, "%v", again)
	need(subscriber.Acknowledge(ctx, &pb.AcknowledgeRequest{Subscription: name, AckIds: []string{again[0].AckId}}))
	check(len(unwaited(name)) == 0, "acknowledged, and there still")
	refused(codes.InvalidArgument, subscriber.Acknowledge(ctx, &pb.AcknowledgeRequest{Subscription: name, AckIds: []string{"garbage"}}))
	refused(codes.InvalidArgument, subscriber.ModifyAckDeadline(ctx,
		&pb.ModifyAckDeadlineRequest{Subscription: name, AckIds: ids, AckDeadlineSeconds: -1}))
	refused(codes.NotFound, subscriber.Acknowledge(ctx, &pb.AcknowledgeRequest{Subscription: name + "x", AckIds: ids}))
}

func exactlyOnce() {
	topic := newTopic("once")
	name := project + "subscriptions/once"
	_, err := subscriber.CreateSubscription(ctx, &pb.Subscription{Name: name, Topic: topic.String(), XXX_unrecognized: []byte{0x80, 0x01, 0x01}})
	need(err)
	for i := 0; i < 100; i++ {
		publish(topic, text(strconv.Itoa(i)))
	}
	check(distinct(receive(client.Subscription("once"), 100, acked)) == 100, "some twice")
	check(len(unwaited(name)) == 0, "acknowledged, and there still")
}

// A stream whose subscription goes, or never was.
func goingSubscription() {
	going := newSubscription("going", of(newTopic("going")))
	ended := make(chan error)
	go func() {
		ended <- going.Receive(ctx, func(context.Context, *pubsub.Message) {})
	}()
	time.Sleep(500 * time.Millisecond)
	need(going.Delete(ctx))
	refused(codes.NotFound, <-ended)
	err := client.Subscription("none").Receive(ctx, func(context.Context, *pubsub.Message) {})
	check(err != nil && !errors.Is(err, context.Canceled), "received from none")
}

// ---- steps: back in time ----

func seek() {
	topic := newTopic("seek")
	subscription := newSubscription("seek", pubsub.SubscriptionConfig{Topic: topic, RetainAckedMessages: true})
	before := time.Now()
	publish(topic, text("one"), text("two"))
	receive(subscription, 2, acked)
	check(len(unwaited(subscription.String())) == 0, "acknowledged, and there still")
	need(subscription.SeekToTime(ctx, before.Add(-time.Second)))
	check(distinct(receive(subscription, 2, acked)) == 2, "not both again")
	publish(topic, text("three"))
	need(subscription.SeekToTime(ctx, time.Now().Add(time.Minute)))
	check(len(unwaited(subscription.String())) == 0, "sought past it, and there still")
	refused(codes.NotFound, client.Subscription("none").SeekToTime(ctx, before))
}

func snapshots() {
	topic := newTopic("snapshots")
	subscription, other := newSubscription("snapshots", of(topic)), newSubscription("snapshots-2", of(topic))
	publish(topic, text("done"))
	receive(subscription, 1, acked)
	publish(topic, text("kept"))
	_, err := subscription.CreateSnapshot(ctx, "kept")
	need(err)
	_, err = subscription.CreateSnapshot(ctx, "kept")
	refused(codes.AlreadyExists, err)
	receive(subscription, 1, acked)
	for _, one := range []*pubsub.Subscription{subscription, other} {
		need(one.SeekToSnapshot(ctx, client.Snapshot("kept")))
		got := receive(one, 1, acked)
		check(string(got[0].Data) == "kept", "%s: %v", one, got[0])
	}
	first, err := client.Snapshots(ctx).Next()
	need(err)
	check(first.ID() == "kept" && first.Topic.ID() == "snapshots" && time.Until(first.Expiration) > time.Hour, "%+v", first)
	need(client.Snapshot("kept").Delete(ctx))
	refused(codes.NotFound, subscription.SeekToSnapshot(ctx, client.Snapshot("kept")))
}

// ---- steps: beyond Google's emulator ----

func labels() {
	topic := newTopic("labels")
	config, err := topic.Update(ctx, pubsub.TopicConfigToUpdate{Labels: map[string]string{"c": "d"}})
	need(err)
	check(len(config.Labels) == 1 && config.Labels["c"] == "d", "of the topic: %v", config.Labels)
	got, err := newSubscription("labels", of(topic)).Update(ctx, pubsub.SubscriptionConfigToUpdate{
		Labels: map[string]string{"e": "f"}, ExpirationPolicy: 72 * time.Hour, RetentionDuration: time.Hour})
	need(err)
	check(got.Labels["e"] == "f" && got.ExpirationPolicy == 72*time.Hour && got.RetentionDuration == time.Hour, "%+v", got)
}

// A second ack of the same delivery counts no more, and says so.
func exactlyOnceOutcome() {
	topic := newTopic("once-outcome")
	name := project + "subscriptions/once-outcome"
	_, err := subscriber.CreateSubscription(ctx, &pb.Subscription{Name: name, Topic: topic.String(), XXX_unrecognized: []byte{0x80, 0x01, 0x01}})
	need(err)
	publish(topic, text("once"))
	request := &pb.AcknowledgeRequest{Subscription: name, AckIds: []string{pull(name, 1)[0].AckId}}
	need(subscriber.Acknowledge(ctx, request))
	refused(codes.InvalidArgument, subscriber.Acknowledge(ctx, request))
	check(len(unwaited(name)) == 0, "acknowledged, and there still")
}

func policies() {
	topic := newTopic("policies")
	policy, err := topic.IAM().Policy(ctx)
	need(err)
	const member, role = "user:someone@example.com", iam.RoleName("roles/pubsub.publisher")
	policy.Add(member, role)
	need(topic.IAM().SetPolicy(ctx, policy))
	got, err := topic.IAM().Policy(ctx)
	need(err)
	check(got.HasRole(member, role), "%v", got.Roles())
	refused(codes.Aborted, topic.IAM().SetPolicy(ctx, policy)) // its etag is behind
	may, err := topic.IAM().TestPermissions(ctx, []string{"pubsub.topics.publish"})
	need(err)
	check(len(may) == 1, "may %v", may)
	_, err = client.Subscription("none").IAM().Policy(ctx)
	refused(codes.NotFound, err)
}

// Its call is younger than this client: field 1 is the subscription, as in this one's GetSubscription.
func detach() {
	topic := newTopic("detach")
	subscription := newSubscription("detach", of(topic))
	publish(topic, text("lost"))
	need(subscriber.Connection().Invoke(ctx, "/google.pubsub.v1.Publisher/DetachSubscription",
		&pb.GetSubscriptionRequest{Subscription: subscription.String()}, &pb.Topic{}))
	_, err := subscriber.Pull(ctx, &pb.PullRequest{Subscription: subscription.String(), MaxMessages: 1})
	refused(codes.FailedPrecondition, err)
	_, err = topic.Subscriptions(ctx).Next()
	check(err == iterator.Done, "still of the topic: %v", err)
}

func filter() {
	topic := newTopic("filter")
	_, err := subscriber.CreateSubscription(ctx, &pb.Subscription{Name: project + "subscriptions/filter", Topic: topic.String(), Filter: `attributes.k = "v"`})
	need(err)
	publish(topic, text("no"), &pubsub.Message{Data: []byte("yes"), Attributes: map[string]string{"k": "v"}})
	got := receive(client.Subscription("filter"), 1, acked)
	check(string(got[0].Data) == "yes", "%v", got[0])
}

func main() {
	var err error
	os.Setenv("PUBSUB_EMULATOR_HOST", os.Args[1])
	client, err = pubsub.NewClient(ctx, "interop")
	need(err)
	subscriber, err = raw.NewSubscriberClient(ctx, option.WithEndpoint(os.Args[1]), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithInsecure()))
	need(err)
	step("a slow handler", slowHandler)
	step("topics", topics)
	step("subscriptions", subscriptions)
	step("newer settings", newerSettings)
	step("messages", messages)
	step("many", many(false))
	step("many by unary pulls", many(true))
	step("order", order)
	step("nack", nack)
	step("dead letter", deadLetter)
	step("flow control", flowControl)
	step("unary calls", unaryCalls)
	step("exactly once", exactlyOnce)
	step("a subscription that goes", goingSubscription)
	step("seek", seek)
	step("snapshots", snapshots)
	if len(os.Args) < 3 {
		step("labels", labels)
		step("filter", filter)
		step("detach", detach)
		step("what became of an ack", exactlyOnceOutcome)
		step("policies", policies)
	}
	running.Wait()
	fmt.Printf("%d of %d steps\n", passed, passed+failed)
	if failed > 0 {
		os.Exit(1)
	}
}
