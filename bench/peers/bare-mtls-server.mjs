/**
 * The floor of mutual TLS: a bare node:https server that asks for a certificate and answers. It shows the certificate of
 * the files given, so that both sides pay for the same kind of key.
 *
 * bare-mtls-server.mjs CERT KEY     prints one JSON line when it listens: {"port"}
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [cert, key] = process.argv.slice(2).map((file) => readFileSync(file));
const server = createServer(
  { cert, key, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' },
  (request, response) => {
    request.resume().on('end', () => response.end('{}'));
  },
);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
