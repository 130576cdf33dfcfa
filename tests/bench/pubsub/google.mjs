// SPDX-License-Identifier: MIT
// Google's Node client as a peer: it obeys what peer.h says. Its settings are its own, but for latency,
// where each message goes out at once.
// usage: node google.mjs HOST:PORT PROJECT
import {createRequire} from 'node:module';
import {performance} from 'node:perf_hooks';
import readline from 'node:readline';

const WARM = 10;
const EVERY_MS = 50;
const UNSETTLED = 1000; // messages that have no id yet
const require = createRequire(new URL('../../interop/pubsub/', import.meta.url));
process.env.PUBSUB_EMULATOR_HOST = process.argv[2];
process.env.METADATA_SERVER_DETECTION = 'none';
const {PubSub} = require('@google-cloud/pubsub');
const pubsub = new PubSub({projectId: process.argv[3]});

async function publish(id, count, size) {
  const topic = pubsub.topic(id);
  const data = Buffer.alloc(Number(size), 'x');
  const under = new Array(UNSETTLED);
  for (let i = 0; i < Number(count); i++) {
    await under[i % UNSETTLED];
    under[i % UNSETTLED] = topic.publishMessage({data});
  }
  await topic.flush();
  await Promise.all(under);
}

// Until `count` have been taken, for the first time, which take says.
async function receive(id, count, take) {
  const subscription = pubsub.subscription(id);
  let taken = 0;
  await new Promise((resolve, reject) => {
    subscription.on('error', reject);
    subscription.on('message', message => {
      const first = take(message);
      message.ack();
      if (first && ++taken === Number(count)) resolve();
    });
  });
  await subscription.close();
}

const until = ms => new Promise(resolve => setTimeout(resolve, ms - performance.now()));

async function latency(topicId, subscriptionId, figures) {
  const count = Number(figures) + WARM;
  const sent = [];
  const came = [];
  const topic = pubsub.topic(topicId, {batching: {maxMessages: 1}});
  const received = receive(subscriptionId, count, message => {
    const now = performance.now();
    const i = Number(message.data);
    const first = came[i] === undefined;
    if (first) came[i] = now;
    return first;
  });
  const begin = performance.now() + EVERY_MS;
  const published = [];
  for (let i = 0; i < count; i++) {
    const data = Buffer.from(String(i));
    await until(begin + i * EVERY_MS + ((i * 17) % 50));
    sent[i] = performance.now();
    published.push(topic.publishMessage({data}));
  }
  await Promise.all(published);
  await received;
  for (let i = WARM; i < count; i++) console.log(((came[i] - sent[i]) * 1e3).toFixed(1));
}

const commands = {
  publish,
  receive: (subscription, count) => receive(subscription, count, () => true),
  latency,
};
console.log('ready');
for await (const line of readline.createInterface({input: process.stdin})) {
  const [command, ...rest] = line.split(' ');
  await commands[command](...rest);
  console.log('done');
}
