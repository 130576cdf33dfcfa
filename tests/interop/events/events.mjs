// SPDX-License-Identifier: MIT
// Events between Node and us: what the CloudEvents SDK writes we read, and it reads what we write; and
// Google's functions framework makes of the same requests the same CloudEvents.
// usage: node events.mjs URL OUTPUT CASES.json...   URL: a `conformance cloudevent`, which writes OUTPUT
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { CloudEvent, HTTP } from 'cloudevents';
import * as framework from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';

const [url, output, ...files] = process.argv.slice(2);

const post = (to, path, headers, body) =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const r = httpRequest(new URL(path, to), { method: 'POST', headers: { ...headers, 'Content-Length': bytes.length } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    r.on('error', reject);
    r.end(bytes);
  });

const ours = async (path, headers, body) => {
  rmSync(output, { force: true });
  const status = await post(url, path, headers, body);
  assert.ok(status >= 200 && status < 300, `we answer ${status}`);
  return JSON.parse(readFileSync(output, 'utf8'));
};

// ---- the SDK ----

const base = { id: 'a-1', source: '//pubsub.googleapis.com/projects/p/topics/t', type: 'com.example.paid', time: '2026-03-04T05:06:07.089Z' };
const events = [
  { ...base, datacontenttype: 'application/json', data: { n: 17, list: [1, null, 'é'] } },
  { ...base, subject: 'orders/17', dataschema: 'https://example.org/schema', datacontenttype: 'application/json', data: [1, 2], partitionkey: 'c-9' },
  { ...base, datacontenttype: 'text/plain', data: 'plain text' },
  { ...base, datacontenttype: 'application/octet-stream', data: Uint8Array.from([0xff, 0xfe, 0, 1]) },
  { ...base },
];
const same = (got, sent, what) => {
  for (const name of ['id', 'source', 'type', 'subject', 'dataschema', 'datacontenttype', 'partitionkey'])
    if (sent[name] !== undefined) assert.equal(got[name], sent[name], `${what}: ${name}`);
  assert.equal(new Date(got.time).getTime(), new Date(sent.time).getTime(), `${what}: time`);
  const plain = (data) => (ArrayBuffer.isView(data) ? [...data] : data);
  assert.deepEqual(plain(got.data), plain(sent.data), `${what}: data`);
};
let count = 0;
for (const sent of events) {
  const event = new CloudEvent(sent);
  for (const [mode, write] of [['binary', HTTP.binary], ['structured', HTTP.structured]]) {
    const message = write(event);
    const body = message.body === undefined ? '' : message.body;
    const written = await ours('/', message.headers, body);
    const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(written) });
    assert.equal(read.validate(), true);
    same(read, sent, `${mode}, ${sent.datacontenttype}`);
    count++;
  }
}
console.log(`cloudevents: ${count} events there and back`);

// ---- the framework ----

let given;
framework.cloudEvent('given', (event) => {
  given = event;
});
const server = getTestServer('given').listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const theirs = async (path, headers, body) => {
  given = undefined;
  const status = await post(`http://127.0.0.1:${server.address().port}`, path, headers, body);
  assert.ok(status >= 200 && status < 300, `the framework answers ${status}`);
  return JSON.parse(JSON.stringify(given));
};
// The framework drops what a push tells beside the message, and names a binary event's data by nothing.
const known = (event) => {
  const { datacontenttype, data, ...rest } = event;
  if (data?.message === undefined) return { ...rest, data };
  const { messageId, publishTime, attributes, data: bytes } = data.message;
  return { ...rest, message: { messageId, publishTime, attributes: attributes ?? {}, data: bytes } };
};
let compared = 0;
for (const file of files) {
  const parsed = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, request, expect, source } of Array.isArray(parsed) ? parsed : [parsed]) {
    // Where they differ by design, the case says so.
    if (expect.cloudevent === undefined || request.body === undefined || (source ?? '').startsWith('doc')) continue;
    // A type that the framework for Node does not know, and those for other languages do.
    if (name === 'older remote-config') continue;
    // What one may take and another refuse.
    if (expect.also_ok !== undefined) continue;
    // No time sent: theirs is when it came, ours is none.
    if (expect.cloudevent.time === undefined) continue;
    const headers = { ...request.headers };
    delete headers['Transfer-Encoding'];
    assert.deepEqual(known(await ours(request.path, headers, request.body)), known(await theirs(request.path, headers, request.body)), name);
    compared++;
  }
}
server.close();
console.log(`functions-framework: ${compared} requests, the same events`);
assert.ok(compared > 60);
