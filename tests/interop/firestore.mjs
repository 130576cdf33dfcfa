// SPDX-License-Identifier: MIT
// Google's Node client against what our C program wrote, and the other way round.
// usage: node firestore.mjs grpc|rest HOST:PORT PROJECT
// Reads interop/from_c, checks every value, writes interop/from_node for the C program to check.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';

const require = createRequire(import.meta.url);
const {FieldValue, Firestore, GeoPoint, Timestamp} = require('@google-cloud/firestore');

const [transport, address, projectId] = process.argv.slice(2);
const [host, port] = address.split(':');
process.env.FIRESTORE_EMULATOR_HOST = address;
process.env.METADATA_SERVER_DETECTION = 'none';
// The REST form looks for credentials even where the emulator variable is set, and for TLS.
const owner = {
  universeDomain: 'googleapis.com',
  getRequestHeaders: async () => new Headers({authorization: 'Bearer owner'}),
  fetch: (url, {method, body, signal, headers}) => {
    headers.set('authorization', 'Bearer owner');
    return fetch(url, {method, body, signal, headers});
  },
};
const overRest = {preferRest: true, host, port: Number(port), ssl: false, auth: owner};
const settings = {projectId, useBigInt: true, ...(transport === 'rest' ? overRest : {})};
const db = new Firestore(settings);

// What tests/support/values.c makes, in this client's types: integers are BigInt.
function everyType() {
  return {
    null: null,
    true: true,
    false: false,
    integer: 42n,
    integer_min: -(2n ** 63n),
    integer_max: 2n ** 63n - 1n,
    double: 0.1,
    double_whole: 3,
    double_zero: 0,
    double_big: 1e21,
    double_small: -1.5e-7,
    double_least: 5e-324,
    double_most: Number.MAX_VALUE,
    double_nan: NaN,
    double_inf: Infinity,
    double_minus_inf: -Infinity,
    time: new Timestamp(1704164645, 123456000),
    time_milli: new Timestamp(1704164645, 100000000),
    time_whole: new Timestamp(1704164645, 0),
    time_epoch: new Timestamp(0, 0),
    time_before: new Timestamp(-1, 999999000),
    time_first: new Timestamp(-62135596800, 0),
    time_last: new Timestamp(253402300799, 999999000),
    string: 'a"\\/é😀\n\t\u0001',
    string_empty: '',
    string_zero: 'a\u0000b',
    bytes: Buffer.from([0xfb, 0xff, 0x00, 0x01]),
    bytes_empty: Buffer.from([]),
    reference: db.doc('c/d'),
    geo: new GeoPoint(1.5, -2),
    geo_zero: new GeoPoint(0, 0),
    geo_edge: new GeoPoint(-90, 180),
    array: [1n, null, {k: 'v', 'a-b.c': []}],
    array_empty: [],
    map_empty: {},
    map: {null: null, deeper: {}},
    'é `x` \\.y': 'a name to quote',
  };
}

function same(actual, expected, where) {
  if (expected && typeof expected.isEqual === 'function') {
    assert.ok(expected.isEqual(actual), `${where}: ${JSON.stringify(actual)}`);
  } else if (Buffer.isBuffer(expected)) {
    assert.ok(Buffer.isBuffer(actual) && expected.equals(actual), where);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length, where);
    expected.forEach((item, i) => same(actual[i], item, `${where}[${i}]`));
  } else if (expected && typeof expected === 'object') {
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), where);
    for (const key of Object.keys(expected)) same(actual[key], expected[key], `${where}.${key}`);
  } else {
    assert.equal(typeof actual, typeof expected, where);
    assert.ok(Object.is(actual, expected), `${where}: ${actual}, not ${expected}`);
  }
}

async function refused(promise, code) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, String(error));
    return true;
  });
}

async function readWhatCWrote() {
  const snapshot = await db.doc('interop/from_c').get();
  assert.ok(snapshot.exists, 'interop/from_c is not there');
  same(snapshot.data(), everyType(), 'from_c');
}

// The calls that the experiment makes, in this client's words.
async function writeAsWeDo() {
  const collection = db.collection('node');
  const one = collection.doc('one');
  await one.create({n: 1n, gone: true});
  await refused(one.create({n: 2n}), 6);
  await refused(one.update({n: 3n}, {lastUpdateTime: new Timestamp(1704164645, 0)}), 9);
  const before = await one.get();
  await one.update({n: 3n, gone: FieldValue.delete()},
                   {lastUpdateTime: before.updateTime});
  await refused(collection.doc('none').update({n: 1n}), 5);
  const batch = db.batch();
  for (let i = 0; i < 25; i++) batch.set(collection.doc(`many${i}`), {i: BigInt(i), half: i / 2 + 0.25});
  batch.delete(collection.doc('absent'));
  await batch.commit();
  const page = await collection.where('half', '>=', 5).orderBy('half', 'desc').limit(7).get();
  assert.deepEqual(page.docs.map((d) => Number(d.get('i'))), [24, 23, 22, 21, 20, 19, 18]);
  const next = await collection.orderBy('i').startAfter(20n).get();
  assert.deepEqual(next.docs.map((d) => d.id), ['many21', 'many22', 'many23', 'many24']);
  const [there, absent] = await db.getAll(collection.doc('many3'), collection.doc('absent'));
  assert.ok(there.exists && !absent.exists);
  await collection.doc('many3').delete();
  assert.equal((await collection.get()).size, 25);
}

// A transaction that meets another writer runs again; what it reads it sees at one time.
async function runTransactions() {
  const counter = db.doc('node/counter');
  const other = db.doc('node/other');
  await counter.set({n: 1n});
  let runs = 0;
  const result = await db.runTransaction(async (t) => {
    runs++;
    const [one, all] = [await t.get(counter), await t.get(db.collection('node').where('n', '>=', 1n))];
    assert.ok(all.docs.some((d) => d.id === 'counter'));
    t.update(counter, {n: one.get('n') + 10n});
    t.create(other, {from: one.get('n')});
    return one.get('n');
  });
  assert.equal(result, 1n);
  assert.ok(runs >= 1);
  assert.equal((await counter.get()).get('n'), 11n);
  assert.equal((await other.get()).get('from'), 1n);
  const add = () => db.runTransaction(async (t) => {
    const before = await t.get(counter);
    t.update(counter, {n: before.get('n') + 1n});
  }, {maxAttempts: 20});
  await Promise.all([add(), add()]);
  assert.equal((await counter.get()).get('n'), 13n);
  await assert.rejects(db.runTransaction(async (t) => {
    await t.get(counter);
    t.delete(counter);
    throw new Error('never mind');
  }), /never mind/);
  assert.ok((await counter.get()).exists);
  const seen = await db.runTransaction((t) => t.getAll(counter, db.doc('node/none')), {readOnly: true});
  assert.deepEqual(seen.map((d) => d.exists), [true, false]);
}

async function aggregate() {
  const collection = db.collection('numbers');
  for (const [id, n] of [['a', 1n], ['b', 2n], ['c', 4n]]) await collection.doc(id).set({n});
  const {AggregateField} = require('@google-cloud/firestore');
  const all = await collection.aggregate({
    count: AggregateField.count(), sum: AggregateField.sum('n'), mean: AggregateField.average('n'),
  }).get();
  assert.equal(Number(all.data().count), 3);
  assert.equal(Number(all.data().sum), 7);
  assert.ok(Math.abs(all.data().mean - 7 / 3) < 1e-12);
  assert.equal(Number((await collection.where('n', '>', 1n).limit(1).count().get()).data().count), 1);
  await collection.doc('a').update({n: FieldValue.increment(5), tags: FieldValue.arrayUnion('x', 'y'),
                                    at: FieldValue.serverTimestamp()});
  const changed = await collection.doc('a').get();
  assert.equal(changed.get('n'), 6n);
  assert.deepEqual(changed.get('tags'), ['x', 'y']);
  const ids = (await collection.doc('a').listCollections()).map((c) => c.id);
  assert.deepEqual(ids, []);
}

await readWhatCWrote();
await writeAsWeDo();
await runTransactions();
await aggregate();
await db.doc('interop/from_node').set(everyType());
await db.terminate();
console.log(`${transport}: read, written, queried, run in transactions and aggregated`);
