// SPDX-License-Identifier: MIT
// What psprobe-setup sends, by Google's own types and clients: every body compiles as the type that
// Google's client takes for that call, without a member too many; and the same call made by that
// client against a recorder has our method, path, query and body.
// usage: node setup.mjs REQUESTS      a line of JSON for each request, as the fake writes them
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {cloudresourcemanager_v3} from '@googleapis/cloudresourcemanager';
import {firestore_v1} from '@googleapis/firestore';
import {iam_v1} from '@googleapis/iam';
import {run_v2} from '@googleapis/run';
import {serviceusage_v1} from '@googleapis/serviceusage';
import eventarc from 'googleapis/build/src/apis/eventarc/v1.js';
import pubsub from 'googleapis/build/src/apis/pubsub/v1.js';

const here = path.dirname(fileURLToPath(import.meta.url));

// By API: where its types come from, and its client.
const apis = {
  serviceusage_v1: ['@googleapis/serviceusage', serviceusage_v1.Serviceusage],
  firestore_v1: ['@googleapis/firestore', firestore_v1.Firestore],
  pubsub_v1: ['googleapis/build/src/apis/pubsub/v1.js', pubsub.pubsub_v1.Pubsub],
  iam_v1: ['@googleapis/iam', iam_v1.Iam],
  cloudresourcemanager_v3: ['@googleapis/cloudresourcemanager', cloudresourcemanager_v3.Cloudresourcemanager],
  run_v2: ['@googleapis/run', run_v2.Run],
  eventarc_v1: ['googleapis/build/src/apis/eventarc/v1.js', eventarc.eventarc_v1.Eventarc],
};

// Our request's line, the API and method that it is, and the parameter that its path is.
const P = '(projects/[^/]+)';
const L = '(projects/[^/]+/locations/[^/]+)';
const calls = [
  [`GET /v1/${P}/services/([^/]+)`, 'serviceusage_v1', 'services.get', (p, s) => ({name: `${p}/services/${s}`})],
  [`POST /v1/${P}/services/([^/]+):enable`, 'serviceusage_v1', 'services.enable', (p, s) => ({name: `${p}/services/${s}`})],
  ['GET /v1/(operations/[^/]+)', 'serviceusage_v1', 'operations.get', (name) => ({name})],
  [`GET /v1/(${P}/databases/[^/]+/operations/[^/]+)`, 'firestore_v1', 'projects.databases.operations.get', (name) => ({name})],
  [`GET /v1/(${P}/databases/[^/]+)`, 'firestore_v1', 'projects.databases.get', (name) => ({name})],
  [`POST /v1/${P}/databases`, 'firestore_v1', 'projects.databases.create', (parent) => ({parent})],
  [`(GET|DELETE) /v1/(${P}/topics/[^/:]+)`, 'pubsub_v1', 'projects.topics.*', (v, topic) => ({topic})],
  [`PUT /v1/(${P}/topics/[^/:]+)`, 'pubsub_v1', 'projects.topics.create', (name) => ({name})],
  [`(GET|DELETE) /v1/(${P}/subscriptions/[^/:]+)`, 'pubsub_v1', 'projects.subscriptions.*', (v, subscription) => ({subscription})],
  [`PUT /v1/(${P}/subscriptions/[^/:]+)`, 'pubsub_v1', 'projects.subscriptions.create', (name) => ({name})],
  [`PATCH /v1/(${P}/subscriptions/[^/:]+)`, 'pubsub_v1', 'projects.subscriptions.patch', (name) => ({name})],
  [`GET /v1/(${P}/(?:topics)/[^/:]+):getIamPolicy`, 'pubsub_v1', 'projects.topics.getIamPolicy', (resource) => ({resource})],
  [`POST /v1/(${P}/(?:topics)/[^/:]+):setIamPolicy`, 'pubsub_v1', 'projects.topics.setIamPolicy', (resource) => ({resource})],
  [`GET /v1/(${P}/subscriptions/[^/:]+):getIamPolicy`, 'pubsub_v1', 'projects.subscriptions.getIamPolicy', (resource) => ({resource})],
  [`POST /v1/(${P}/subscriptions/[^/:]+):setIamPolicy`, 'pubsub_v1', 'projects.subscriptions.setIamPolicy', (resource) => ({resource})],
  [`(GET|DELETE) /v1/(${P}/serviceAccounts/[^/]+)`, 'iam_v1', 'projects.serviceAccounts.*', (v, name) => ({name})],
  [`POST /v1/${P}/serviceAccounts`, 'iam_v1', 'projects.serviceAccounts.create', (name) => ({name})],
  [`POST /v3/${P}:getIamPolicy`, 'cloudresourcemanager_v3', 'projects.getIamPolicy', (resource) => ({resource})],
  [`POST /v3/${P}:setIamPolicy`, 'cloudresourcemanager_v3', 'projects.setIamPolicy', (resource) => ({resource})],
  [`GET /v2/(${L}/operations/[^/]+)`, 'run_v2', 'projects.locations.operations.get', (name) => ({name})],
  ...['services', 'workerPools'].flatMap((list) => [
    [`(GET|DELETE) /v2/(${L}/${list}/[^/:]+)`, 'run_v2', `projects.locations.${list}.*`, (v, name) => ({name})],
    [`POST /v2/${L}/${list}`, 'run_v2', `projects.locations.${list}.create`, (parent) => ({parent})],
    [`PATCH /v2/(${L}/${list}/[^/:]+)`, 'run_v2', `projects.locations.${list}.patch`, (name) => ({name})],
    [`GET /v2/(${L}/${list}/[^/:]+):getIamPolicy`, 'run_v2', `projects.locations.${list}.getIamPolicy`, (resource) => ({resource})],
    [`POST /v2/(${L}/${list}/[^/:]+):setIamPolicy`, 'run_v2', `projects.locations.${list}.setIamPolicy`, (resource) => ({resource})],
  ]),
  [`GET /v1/(${L}/operations/[^/]+)`, 'eventarc_v1', 'projects.locations.operations.get', (name) => ({name})],
  [`(GET|DELETE) /v1/(${L}/triggers/[^/:]+)`, 'eventarc_v1', 'projects.locations.triggers.*', (v, name) => ({name})],
  [`POST /v1/${L}/triggers`, 'eventarc_v1', 'projects.locations.triggers.create', (parent) => ({parent})],
];

const decoded = (text) => decodeURIComponent(text);

function read(file) {
  const seen = new Set();
  return fs.readFileSync(file, 'utf8').split('\n').filter((line) => {
    const fresh = line !== '' && !seen.has(line);
    seen.add(line);
    return fresh;
  }).map((line) => JSON.parse(line));
}

// A request of ours as a call of Google's client.
function identify(request) {
  const line = `${request.method} ${decoded(request.path)}`;
  for (const [pattern, api, method, params] of calls) {
    const match = line.match(new RegExp(`^${pattern}$`));
    if (!match) continue;
    const verb = {GET: 'get', DELETE: 'delete'}[match[1]];
    const query = Object.fromEntries([...new URLSearchParams(request.query)].map(
        ([key, value]) => [key, /^[0-9]+$/.test(value) ? Number(value) : value]));
    return {request, api, method: method.replace('*', verb), line,
            params: {...params(...match.slice(1)), ...query,
                     ...(request.body === null ? {} : {requestBody: request.body})}};
  }
  return assert.fail(`no method of Google's: ${line}`);
}

const capital = (word) => word[0].toUpperCase() + word.slice(1).toLowerCase();

// The calls' parameters as constants of Google's types: an object literal may have no member more.
function typed(list) {
  const used = [...new Set(list.map((call) => call.api))];
  const imports = used.map((api) => `import {${api}} from '${apis[api][0]}';`);
  const constants = list.map(({api, method, params}, i) =>
      `export const c${i}: ${api}.Params$Resource$${method.split('.').map(capital).join('$')} = ` +
      `${JSON.stringify(params, null, 1)};`);
  return [...imports, ...constants, ''].join('\n');
}

function compile(name, text) {
  const file = path.join(here, `.${name}.ts`);
  fs.writeFileSync(file, text);
  const run = spawnSync(process.execPath, [path.join(here, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict',
    '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--target', 'es2022', file],
  {cwd: here, encoding: 'utf8'});
  fs.unlinkSync(file);
  return run.stdout + run.stderr;
}

function check_types(list) {
  assert.equal(compile('calls', typed(list)), '', 'a body is not of its type');
  // The check itself: a member too many, and one of another type, are found.
  const service = list.find((call) => call.method.endsWith('services.create'));
  const spoilt = structuredClone(service);
  spoilt.params.requestBody.template.scaling.leastInstances = 1;
  spoilt.params.requestBody.template.serviceAccount = 5;
  const words = compile('spoilt', typed([spoilt]));
  assert.match(words, /leastInstances/);
  assert.match(words, /serviceAccount|number/);
}

async function check_calls(list) {
  let last;
  const recorder = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data));
    request.on('end', () => {
      const url = new URL(request.url, 'http://recorder');
      last = {method: request.method, path: decoded(url.pathname), query: [...url.searchParams].sort(),
              body: body === '' ? null : JSON.parse(body)};
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  const rootUrl = `http://127.0.0.1:${recorder.address().port}/`;
  for (const {request, api, method, params, line} of list) {
    const names = method.split('.');
    const resource = names.slice(0, -1).reduce((object, name) => object[name], new apis[api][1]({rootUrl}));
    await resource[names.at(-1)](params);
    const query = [...new URLSearchParams(request.query)].sort();
    assert.deepEqual(last, {method: request.method, path: decoded(request.path), query, body: request.body}, line);
  }
  recorder.close();
  recorder.closeAllConnections();
}

const list = read(process.argv[2]).map(identify);
const methods = new Set(list.map((call) => `${call.api} ${call.method}`));
await check_calls(list);
check_types(list);
console.log(`${list.length} requests of ${methods.size} methods are Google's own`);
