// SPDX-License-Identifier: MIT
// Google's Node client, by gRPC and unchanged, through topics, subscriptions, messages, and back in time.
// With `emulator` what Google's emulator does not do is left out.
// usage: node pubsub.mjs HOST:PORT [emulator]
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);
const {PubSub, v1} = require('@google-cloud/pubsub');

process.env.PUBSUB_EMULATOR_HOST = process.argv[2];
process.env.METADATA_SERVER_DETECTION = 'none';
const pubsub = new PubSub({projectId: 'node'});
const codes = {INVALID_ARGUMENT: 3, NOT_FOUND: 5, ALREADY_EXISTS: 6, FAILED_PRECONDITION: 9, ABORTED: 10};
let steps = 0;
let passed = 0;

// Steps with topics of their own are not awaited where they stand, but in the end.
async function step(name, run) {
  steps++;
  try {
    await run();
    passed++;
  } catch (error) {
    console.error(`FAILED ${name}: ${error.stack}`);
  }
}
const beyond = process.argv[3] === 'emulator' ? async () => {} : step; // beyond Google's emulator

const refused = (code, run) => assert.rejects(run, error => error.code === code);
const seconds = n => new Promise(resolve => setTimeout(resolve, n * 1000));

// Collects what `take` says of messages until there are `count`; fails after a minute.
function receive(subscription, count, take) {
  return new Promise((resolve, reject) => {
    const taken = [];
    const timer = setTimeout(() => end(new Error(`${taken.length} of ${count}`)), 60000);
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

const [host, port] = process.argv[2].split(':');
const generated = {servicePath: host, port: Number(port), sslCreds: require('@grpc/grpc-js').credentials.createInsecure()};
const subscriber = new v1.SubscriberClient(generated);

async function make(id, settings) {
  const [topic] = await pubsub.createTopic(id);
  const [subscription] = await topic.createSubscription(id, settings);
  return [topic, subscription, `projects/node/subscriptions/${id}`];
}
const send = (topic, ...texts) =>
  Promise.all(texts.map(text => topic.publishMessage({data: Buffer.from(text)})));
// What is there, without waiting for more; it is out then.
async function pull(subscription) {
  const [answer] = await subscriber.pull({subscription, maxMessages: 100, returnImmediately: true});
  return answer.receivedMessages;
}
async function pullTexts(subscription) {
  return (await pull(subscription)).map(one => one.message.data.toString()).sort();
}
async function settle(subscription) {
  const ackIds = (await pull(subscription)).map(one => one.ackId);
  await subscriber.acknowledge({subscription, ackIds});
  return ackIds;
}

// A handler of 15 s under a deadline of 10 s: not delivered again.
const slow = step('a slow handler', async () => {
  const [topic, subscription] = await make('slow', {ackDeadlineSeconds: 10});
  await send(topic, 'slow');
  let deliveries = 0;
  await new Promise((resolve, reject) => {
    subscription.on('error', reject);
    subscription.on('message', async message => {
      deliveries++;
      await seconds(15);
      message.ack();
      resolve();
    });
  });
  await subscription.close();
  assert.equal(deliveries, 1);
});

const seeking = step('seek', async () => {
  const [topic, subscription, name] = await make('seek', {retainAckedMessages: true});
  const before = new Date(Date.now() - 1000);
  await send(topic, 'one', 'two');
  await settle(name);
  assert.deepEqual(await pullTexts(name), []);
  await subscription.seek(before);
  assert.deepEqual(await pullTexts(name), ['one', 'two']);
  await send(topic, 'three');
  await subscription.seek(new Date(Date.now() + 60000));
  assert.deepEqual(await pullTexts(name), []);
  await send(topic, 'four');
  assert.deepEqual(await pullTexts(name), ['four']);
  await refused(codes.NOT_FOUND, () => pubsub.subscription('none').seek(before));
});

const snapshots = step('snapshots', async () => {
  const [topic, subscription, name] = await make('shot', {});
  const [other] = await topic.createSubscription('shot-2');
  await send(topic, 'done');
  await settle(name);
  await send(topic, 'kept');
  await subscription.createSnapshot('kept');
  await refused(codes.ALREADY_EXISTS, () => subscription.createSnapshot('kept'));
  await settle(name);
  await send(topic, 'later');
  await settle(name);
  for (const one of [subscription, other]) {
    await one.seek('kept');
    assert.deepEqual(await pullTexts(one.name), ['kept', 'later']);
  }
  const [made] = await subscriber.getSnapshot({snapshot: 'projects/node/snapshots/kept'});
  assert.equal(made.topic, topic.name);
  assert.ok(Number(made.expireTime.seconds) * 1000 > Date.now() + 6 * 86400000);
  assert.equal((await pubsub.getSnapshots())[0].length, 1);
  const [, elsewhere] = await make('elsewhere', {});
  await refused(codes.FAILED_PRECONDITION, () => elsewhere.seek('kept'));
  await pubsub.snapshot('kept').delete();
  await refused(codes.NOT_FOUND, () => subscription.seek('kept'));
});

// (Google's emulator keeps some hundreds of these back.)
const ordering = beyond('order', async () => {
  const [, subscription] = await make('ordered', {enableMessageOrdering: true});
  const topic = pubsub.topic('ordered', {messageOrdering: true});
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

const once = step('exactly once', async () => {
  const [topic, subscription] = await make('once', {enableExactlyOnceDelivery: true});
  await send(topic, ...[...Array(20).keys()].map(String));
  const outcomes = [];
  const got = await receive(subscription, 20, message => {
    outcomes.push(message.ackWithResponse());
    return message.data.toString();
  });
  assert.equal(new Set(got).size, 20);
  for (const outcome of await Promise.all(outcomes)) assert.equal(outcome, 'SUCCESS');
});

const onceRefused = beyond('exactly once, a used id', async () => {
  const [topic, , name] = await make('used', {enableExactlyOnceDelivery: true});
  await send(topic, 'a');
  const [used] = await settle(name);
  const told = error => {
    assert.equal(error.code, codes.INVALID_ARGUMENT);
    assert.deepEqual({...error.errorInfoMetadata}, {[used]: 'PERMANENT_FAILURE_INVALID_ACK_ID'});
    return true;
  };
  await assert.rejects(() => subscriber.acknowledge({subscription: name, ackIds: [used]}), told);
  await assert.rejects(
    () => subscriber.modifyAckDeadline({subscription: name, ackIds: [used], ackDeadlineSeconds: 20}), told);
});

const labels = beyond('labels', async () => {
  const [topic, subscription] = await make('labels', {labels: {a: 'b'}});
  const [changed] = await topic.setMetadata({labels: {c: 'd'}});
  assert.deepEqual(changed.labels, {c: 'd'});
  await subscription.setMetadata({labels: {e: 'f'}, expirationPolicy: {ttl: {seconds: 259200}}});
  const [got] = await subscription.getMetadata();
  assert.deepEqual(got.labels, {e: 'f'});
  assert.equal(String(got.expirationPolicy.ttl.seconds), '259200');
  await subscription.createSnapshot('labelled');
  const snapshot = {name: 'projects/node/snapshots/labelled', labels: {g: 'h'}};
  const [shot] = await subscriber.updateSnapshot({snapshot, updateMask: {paths: ['labels']}});
  assert.deepEqual(shot.labels, {g: 'h'});
  await pubsub.snapshot('labelled').delete();
});

const detaching = beyond('detach', async () => {
  const [topic, subscription, name] = await make('detach', {});
  await send(topic, 'lost');
  await pubsub.detachSubscription('detach');
  assert.equal((await subscription.detached())[0], true);
  assert.equal((await topic.getSubscriptions())[0].length, 0);
  await refused(codes.FAILED_PRECONDITION, () => subscriber.pull({subscription: name, maxMessages: 1}));
  const failed = new Promise(resolve => subscription.on('error', resolve));
  subscription.on('message', () => {});
  assert.equal((await failed).code, codes.FAILED_PRECONDITION);
  await subscription.close();
});

const iam = beyond('IAM', async () => {
  const [topic, subscription] = await make('iam', {});
  for (const one of [topic, subscription]) {
    const [policy] = await one.iam.getPolicy();
    policy.bindings = [{role: 'roles/pubsub.viewer', members: ['user:a@b.c']}];
    const [set] = await one.iam.setPolicy(policy);
    assert.deepEqual(set.bindings[0].members, ['user:a@b.c']);
    await refused(codes.ABORTED, () => one.iam.setPolicy(policy));
  }
  const [granted] = await topic.iam.testPermissions(['pubsub.topics.publish', 'pubsub.topics.get']);
  assert.deepEqual(granted, {'pubsub.topics.publish': true, 'pubsub.topics.get': true});
  await refused(codes.NOT_FOUND, () => pubsub.topic('none').iam.getPolicy());
});

const limits = beyond('limits', async () => {
  const [topic] = await make('limits', {});
  const data = Buffer.from('x');
  const attributes = Object.fromEntries([...Array(101).keys()].map(i => [`k${i}`, '']));
  for (const message of [{data, attributes}, {data, attributes: {k: 'v'.repeat(1025)}}, {data, attributes: {googx: '1'}},
    {data: Buffer.alloc(10000001)}])
    await refused(codes.INVALID_ARGUMENT, () => topic.publishMessage(message));
});

await step('topics', async () => {
  await pubsub.createTopic({name: 'things', labels: {a: 'b'}, messageRetentionDuration: {seconds: 700}});
  await refused(codes.ALREADY_EXISTS, () => pubsub.createTopic('things'));
  const [metadata] = await pubsub.topic('things').getMetadata();
  assert.equal(metadata.name, 'projects/node/topics/things');
  assert.deepEqual(metadata.labels, {a: 'b'});
  assert.equal(String(metadata.messageRetentionDuration.seconds), '700');
  await refused(codes.NOT_FOUND, () => pubsub.topic('none').getMetadata());
  await refused(codes.INVALID_ARGUMENT, () => pubsub.createTopic('x'));
  await pubsub.createTopic('more');
  const [topics] = await pubsub.getTopics();
  const names = topics.map(topic => topic.name.split('/').pop());
  assert.ok(names.includes('more') && names.includes('things'));
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
    deadLetterPolicy: {deadLetterTopic: 'projects/node/topics/more', maxDeliveryAttempts: 7},
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

await beyond('flow control', async () => {
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

await step('unary pull', async () => {
  const name = 'projects/node/subscriptions/pulled';
  await pubsub.topic('more').createSubscription('pulled');
  await pubsub.topic('more').publishMessage({data: Buffer.from('pulled')});
  const [answer] = await subscriber.pull({subscription: name, maxMessages: 10});
  assert.equal(answer.receivedMessages[0].message.data.toString(), 'pulled');
  const ackIds = answer.receivedMessages.map(one => one.ackId);
  await subscriber.modifyAckDeadline({subscription: name, ackIds, ackDeadlineSeconds: 60});
  await subscriber.acknowledge({subscription: name, ackIds});
  await refused(codes.INVALID_ARGUMENT,
    () => subscriber.acknowledge({subscription: name, ackIds: ['garbage']}));
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

await Promise.all([slow, ordering, seeking, snapshots, once, onceRefused, labels, detaching, iam, limits]);
await subscriber.close();
await pubsub.close();
console.log(`${passed} of ${steps} steps`);
process.exitCode = passed === steps ? 0 : 1;
