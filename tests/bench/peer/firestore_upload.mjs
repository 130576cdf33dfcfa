// SPDX-License-Identifier: MIT
// The peer of bench_upload: creates COUNT documents of a result's form with Google's Node client, by its
// bulk writer (without its throttle, as an emulator needs none), and prints seconds and CPU seconds.
// usage: node firestore_upload.mjs COUNT   with FIRESTORE_EMULATOR_HOST
import {createRequire} from 'node:module';
const require = createRequire(new URL('../../interop/package.json', import.meta.url));
const {Firestore, Timestamp} = require('@google-cloud/firestore');

const count = Number(process.argv[2]);
const db = new Firestore({projectId: 'demo-bench-node', preferRest: process.argv[3] === 'rest'});
const answer = (elapsed, at) => ({
  elapsed_ns: elapsed, received_at: at, status: 'answered', duplicates: 0, cold: false, handled_ns: 1000000,
});
const result = (i) => {
  const sent = Timestamp.fromMillis(1795558728773 + i * 5000);
  const id = 'a' + i.toString(16).padStart(31, '0');
  return [id, {
    arbitrary_message_id: id, probe_sent: sent, cloud_func_response_time: 60000000 + i,
    reg_service_response_time: 50000000 + i, saved_at: sent, run_id: '9e3779b97f4a7c150000000000000001',
    publish_ns: 20000000, sources: {cloud_function: answer(60000000 + i, sent), regular_service: answer(50000000 + i, sent)},
    sent_ns: 1795558728773 + i, saved_ns: 1795558728773 + i, lateness_ns: 1000,
  }];
};
await db.doc('warm/up').create({a: 1});
const from = process.hrtime.bigint(), cpu = process.cpuUsage();
const writer = db.bulkWriter({throttling: false});
for (let i = 0; i < count; i++) {
  const [id, data] = result(i);
  writer.create(db.doc(`pubsub_results/${id}`), data).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
await writer.close();
const used = process.cpuUsage(cpu);
console.log(Number(process.hrtime.bigint() - from) / 1e9, (used.user + used.system) / 1e6);
