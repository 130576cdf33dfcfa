// SPDX-License-Identifier: MIT
// Google's Node client, by gRPC and unchanged, through topics, subscriptions and messages.
// usage: node pubsub.mjs HOST:PORT
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);
const {PubSub, v1} = require('@google-cloud/pubsub');

process.env.PUBSUB_EMULATOR_HOST = process.argv[2];
process.env.METADATA_SERVER_DETECTION = 'none';
const pubsub = new PubSub({projectId: 'interop'});
const codes = {NOT_FOUND: 5, INVALID_ARGUMENT: 3, ALREADY_EXISTS: 6};
let steps = 0;

async function step(name, run) {
  try {
    await run();
    steps++;
  } catch (error) {
    console.error(`FAILED ${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}

const refused = (code, run) => assert.rejects(run, error => error.code === code);
const seconds = n => new Promise(resolve => setTimeout(resolve, n * 1000));

// Collects what `take` says of messages until there are `count`; fails after 30 s.
function receive(subscription, count, take) {
  return new Promise((resolve, reject) => {
    const taken = [];
    const timer = setTimeout(() => end(new Error(`${taken.length} of ${count}`)), 30000);
    function end(error) {
      clearTimeout(timer);
      subscription.removeAllListeners();
      subscription.close().then(() => (error ? reject(error) : resolve(taken)));
    }
    subscription.on('error', end);
    subscription.on('message', message => {
      const one = take(message);
      if (one !== undefined) taken.push(one);
      if (taken.length === count) end();
    });
  });
}
const acked = message => {
  message.ack();
  return message.data.toString();
};

await step('topics', async () => {
  await pubsub.createTopic({name: 'things', labels: {a: 'b'}, messageRetentionDuration: {seconds: 700}});
  await refused(codes.ALREADY_EXISTS, () => pubsub.createTopic('things'));
  const [metadata] = await pubsub.topic('things').getMetadata();
  assert.equal(metadata.name, 'projects/interop/topics/things');
  assert.deepEqual(metadata.labels, {a: 'b'});
  assert.equal(String(metadata.messageRetentionDuration.seconds), '700');
  await refused(codes.NOT_FOUND, () => pubsub.topic('none').getMetadata());
  await refused(codes.INVALID_ARGUMENT, () => pubsub.createTopic('x'));
  await pubsub.createTopic('more');
  const [topics] = await pubsub.getTopics();
  assert.deepEqual(topics.map(topic => topic.name.split('/').pop()).sort(), ['more', 'things']);
  const [first, , answer] = await pubsub.getTopics({pageSize: 1, autoPaginate: false});
  assert.equal(first.length, 1);
  assert.ok(answer.nextPageToken);
});

await step('subscriptions', async () => {
  const settings = {
    ackDeadlineSeconds: 20,
    enableMessageOrdering: true,
    labels: {x: 'y'},
    filter: 'attributes.k = "v"',
    retryPolicy: {minimumBackoff: {seconds: 1}, maximumBackoff: {seconds: 2, nanos: 500000000}},
    deadLetterPolicy: {deadLetterTopic: 'projects/interop/topics/more', maxDeliveryAttempts: 7},
    expirationPolicy: {ttl: {seconds: 172800}},
    messageRetentionDuration: {seconds: 600},
  };
  await pubsub.topic('things').createSubscription('full', settings);
  const [got] = await pubsub.subscription('full').getMetadata();
  assert.equal(got.ackDeadlineSeconds, 20);
  assert.equal(got.enableMessageOrdering, true);
  assert.deepEqual(got.labels, {x: 'y'});
  assert.equal(got.filter, settings.filter);
  assert.equal(got.retryPolicy.maximumBackoff.nanos, 500000000);
  assert.equal(got.deadLetterPolicy.maxDeliveryAttempts, 7);
  assert.equal(String(got.expirationPolicy.ttl.seconds), '172800');
  await pubsub.subscription('full').setMetadata({ackDeadlineSeconds: 30});
  assert.equal((await pubsub.subscription('full').getMetadata())[0].ackDeadlineSeconds, 30);
  await pubsub.subscription('full').modifyPushConfig({pushEndpoint: 'http://127.0.0.1:9/x'});
  assert.equal((await pubsub.subscription('full').getMetadata())[0].pushConfig.pushEndpoint,
    'http://127.0.0.1:9/x');
  assert.equal((await pubsub.topic('things').getSubscriptions())[0].length, 1);
  await refused(codes.INVALID_ARGUMENT,
    () => pubsub.topic('things').createSubscription('high', {ackDeadlineSeconds: 601}));
  await refused(codes.NOT_FOUND, () => pubsub.topic('none').createSubscription('none'));
  await pubsub.subscription('full').delete();
  await refused(codes.NOT_FOUND, () => pubsub.subscription('full').getMetadata());
});

await step('messages', async () => {
  const [topic] = [pubsub.topic('things')];
  const [subscription] = await topic.createSubscription('plain');
  const ids = await Promise.all([
    topic.publishMessage({data: Buffer.from('one'), attributes: {k: 'v', empty: '', é: 'ü'}}),
    topic.publishMessage({data: Buffer.from([0, 255, 10])}),
    topic.publishMessage({data: Buffer.alloc(0), attributes: {only: 'this'}}),
  ]);
  assert.equal(new Set(ids).size, 3);
  const got = await receive(subscription, 3, message => {
    message.ack();
    return message;
  });
  const one = got.find(message => message.data.toString() === 'one');
  assert.deepEqual({...one.attributes}, {k: 'v', empty: '', é: 'ü'});
  assert.ok(ids.includes(one.id));
  assert.ok(Math.abs(one.publishTime - Date.now()) < 60000);
  assert.ok(got.some(message => message.data.equals(Buffer.from([0, 255, 10]))));
  await refused(codes.NOT_FOUND, () => pubsub.topic('none').publishMessage({data: Buffer.from('x')}));
});

await step('many', async () => {
  const topic = pubsub.topic('things');
  const subscription = pubsub.subscription('plain');
  const taking = receive(subscription, 5000, acked);
  await Promise.all([...Array(5000).keys()].map(i => topic.publishMessage({data: Buffer.from(`m${i}`)})));
  assert.equal(new Set(await taking).size, 5000);
});

await step('order', async () => {
  const topic = pubsub.topic('more', {messageOrdering: true});
  const [subscription] = await topic.createSubscription('ordered', {enableMessageOrdering: true});
  for (let i = 0; i < 2000; i++)
    topic.publishMessage({data: Buffer.from(String(i)), orderingKey: `k${i % 4}`});
  await topic.flush();
  const last = {};
  const got = await receive(subscription, 2000, message => {
    const number = Number(message.data);
    assert.ok(!(number <= last[message.orderingKey]), `${number} after ${last[message.orderingKey]}`);
    last[message.orderingKey] = number;
    message.ack();
    return number;
  });
  assert.equal(new Set(got).size, 2000);
});

await step('nack', async () => {
  await pubsub.topic('things').publishMessage({data: Buffer.from('again')});
  let refusals = 0;
  const got = await receive(pubsub.subscription('plain'), 1, message => {
    if (refusals++ < 2) {
      message.nack();
      return undefined;
    }
    return acked(message);
  });
  assert.deepEqual(got, ['again']);
  assert.equal(refusals, 3);
});

await step('flow control', async () => {
  const topic = pubsub.topic('things');
  for (let i = 0; i < 40; i++) await topic.publishMessage({data: Buffer.from(`f${i}`)});
  const subscription = pubsub.subscription('plain',
    {flowControl: {maxMessages: 5}, streamingOptions: {maxStreams: 1}});
  let out = 0;
  let most = 0;
  const got = await receive(subscription, 40, message => {
    out++;
    most = Math.max(most, out);
    setTimeout(() => {
      out--;
      message.ack();
    }, 20);
    return message.data.toString();
  });
  await seconds(0.2);
  assert.equal(new Set(got).size, 40);
  assert.ok(most <= 5, `${most} at once`);
});

await step('a slow handler', async () => {
  const [subscription] = await pubsub.topic('more').createSubscription('slow', {ackDeadlineSeconds: 10});
  await pubsub.topic('more').publishMessage({data: Buffer.from('slow')});
  let deliveries = 0;
  await new Promise((resolve, reject) => {
    subscription.on('error', reject);
    subscription.on('message', async message => {
      deliveries++;
      await seconds(13);
      message.ack();
      resolve();
    });
  });
  await subscription.close();
  assert.equal(deliveries, 1);
});

await step('unary pull', async () => {
  const subscriber = new v1.SubscriberClient({
    servicePath: process.argv[2].split(':')[0],
    port: process.argv[2].split(':')[1],
    sslCreds: require('@grpc/grpc-js').credentials.createInsecure(),
  });
  const name = 'projects/interop/subscriptions/pulled';
  await pubsub.topic('things').createSubscription('pulled');
  await pubsub.topic('things').publishMessage({data: Buffer.from('pulled')});
  const [answer] = await subscriber.pull({subscription: name, maxMessages: 10});
  assert.equal(answer.receivedMessages[0].message.data.toString(), 'pulled');
  const ackIds = answer.receivedMessages.map(one => one.ackId);
  await subscriber.modifyAckDeadline({subscription: name, ackIds, ackDeadlineSeconds: 60});
  await subscriber.acknowledge({subscription: name, ackIds});
  await refused(codes.INVALID_ARGUMENT,
    () => subscriber.acknowledge({subscription: name, ackIds: ['garbage']}));
  await subscriber.close();
});

await step('a subscription that goes', async () => {
  const [subscription] = await pubsub.topic('things').createSubscription('going');
  const failed = new Promise(resolve => subscription.on('error', resolve));
  subscription.on('message', () => {});
  await seconds(0.5);
  await pubsub.subscription('going').delete();
  assert.equal((await failed).code, codes.NOT_FOUND);
  await subscription.close();
});

await pubsub.close();
console.log(`${steps} of 10 steps`);
process.exitCode ||= steps === 10 ? 0 : 1;
