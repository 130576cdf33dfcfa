// SPDX-License-Identifier: MIT

// Google's Go client as a peer: it obeys what peer.h says. Its settings are its own, but for latency,
// where each message goes out at once.
// usage: google HOST:PORT PROJECT
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"cloud.google.com/go/pubsub"
)

const (
	warm      = 10
	every     = 50 * time.Millisecond
	unsettled = 1000 // messages that have no id yet
)

var client *pubsub.Client
var background = context.Background()

func need(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func publish(id string, count, size int) {
	topic := client.Topic(id)
	data := bytes.Repeat([]byte("x"), size)
	results := make(chan *pubsub.PublishResult, unsettled)
	done := make(chan bool)
	go func() {
		for result := range results {
			_, err := result.Get(background)
			need(err)
		}
		done <- true
	}()
	for i := 0; i < count; i++ {
		results <- topic.Publish(background, &pubsub.Message{Data: data})
	}
	close(results)
	<-done
	topic.Stop()
}

// Until `count` have been taken, for the first time, which take says.
func receive(id string, count int, take func(*pubsub.Message) bool) {
	var taken int32
	ctx, cancel := context.WithCancel(background)
	need(client.Subscription(id).Receive(ctx, func(_ context.Context, message *pubsub.Message) {
		first := take(message)
		message.Ack()
		if first && int(atomic.AddInt32(&taken, 1)) == count {
			cancel()
		}
	}))
}

func latency(topicID, subscriptionID string, count int) {
	count += warm
	sent, came := make([]time.Time, count), make([]time.Time, count)
	seen := make([]int32, count)
	done := make(chan bool)
	topic := client.Topic(topicID)
	topic.PublishSettings.CountThreshold = 1
	go func() {
		receive(subscriptionID, count, func(message *pubsub.Message) bool {
			now := time.Now()
			i, err := strconv.Atoi(string(message.Data))
			need(err)
			first := atomic.AddInt32(&seen[i], 1) == 1
			if first {
				came[i] = now
			}
			return first
		})
		done <- true
	}()
	begin := time.Now().Add(every)
	for i := range sent {
		data := []byte(strconv.Itoa(i))
		time.Sleep(time.Until(begin.Add(time.Duration(i)*every + time.Duration(i*17%50)*time.Millisecond)))
		sent[i] = time.Now()
		topic.Publish(background, &pubsub.Message{Data: data})
	}
	<-done
	topic.Stop()
	for i := warm; i < count; i++ {
		fmt.Printf("%.1f\n", float64(came[i].Sub(sent[i]).Nanoseconds())/1e3)
	}
}

func obey(line string) {
	var topic, subscription string
	var count, size int
	if n, _ := fmt.Sscanf(line, "publish %s %d %d", &topic, &count, &size); n == 3 {
		publish(topic, count, size)
	} else if n, _ := fmt.Sscanf(line, "receive %s %d", &subscription, &count); n == 2 {
		receive(subscription, count, func(*pubsub.Message) bool { return true })
	} else if n, _ := fmt.Sscanf(line, "latency %s %s %d", &topic, &subscription, &count); n == 3 {
		latency(topic, subscription, count)
	} else {
		log.Fatal(line)
	}
}

func main() {
	var err error
	os.Setenv("PUBSUB_EMULATOR_HOST", os.Args[1])
	client, err = pubsub.NewClient(background, os.Args[2])
	need(err)
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		obey(lines.Text())
		fmt.Println("done")
	}
}
