// SPDX-License-Identifier: MIT
// The responder in Node, as people write it: a push comes, the prober at PROBER gets a POST, the push its 204.
import http from 'node:http';
import functions from '@google-cloud/functions-framework';

const agent = new http.Agent({ keepAlive: true });

functions.http('probe', (req, res) => {
  const id = req.body?.message?.attributes?.probe_id;
  if (!id) return res.status(400).end();
  const answer = http.request(`${process.env.PROBER}/cloud_function/${id}`, { method: 'POST', agent }, (said) => {
    said.resume().on('end', () => res.status(said.statusCode < 300 ? 204 : 503).end());
  });
  answer.on('error', () => res.status(503).end());
  answer.end();
});
