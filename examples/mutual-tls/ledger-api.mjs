#!/usr/bin/env node
// ledger shows a certificate of the deployment and takes connections only of payments, which shows one too. Argument: its folder.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { spiffeIdOf } from './peer.mjs';

const folder = process.argv[2] ?? '.';
const read = (name) => readFileSync(join(folder, name), 'utf8');
const caller = `spiffe://localhost/service/payments`;

const server = createServer(
  {
    cert: read('ledger.pem'),
    key: read('ledger.key'),
    // Whoever cannot show a path to this root is gone before it has said anything.
    ca: read('root.pem'),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const who = spiffeIdOf(request.socket.getPeerCertificate());
    response.writeHead(who === caller ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ caller: who }));
  },
);
server.listen(0, '127.0.0.1', () => console.log(`https://127.0.0.1:${server.address().port}`));
