// SPDX-License-Identifier: MIT
// A function without any framework: what a program has to do for the function host, and no more.
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const { PORT, HOSTNAME, K_SERVICE, LEDGER } = process.env;
let invocation = 0;

const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const text = Buffer.from(JSON.parse(body).message.data, "base64").toString();
  if (text === "die" && !existsSync(`${LEDGER}.died`)) {
    writeFileSync(`${LEDGER}.died`, "");
    throw new Error("dies of the event");
  }
  appendFileSync(LEDGER, `${HOSTNAME} ${++invocation} ${K_SERVICE} ${text}\n`);
  response.writeHead(204).end();
});
server.listen(PORT, () => console.log(JSON.stringify({ severity: "NOTICE", message: "ready" })));
process.on("SIGTERM", () => {
  server.closeIdleConnections();
  server.close(() => process.exit(0));
});
