/**
 * The floor for mutual TLS: a bare node:https server that asks for a certificate, reads it, believes anything and answers
 * the same bytes to everybody. What a handshake costs on this platform.
 *
 * --cert FILE --key FILE   what it shows
 *
 * Prints one JSON line when it listens: {"pid", "port"}.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' } } });
const answer = Buffer.from('{"access_token":"a.b.c"}');
const tls = { cert: readFileSync(flags.cert), key: readFileSync(flags.key) };
const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (request, response) => {
  if (request.socket.getPeerX509Certificate() === undefined) response.statusCode = 401;
  request.resume();
  request.on('end', () => {
    response.setHeader('content-length', answer.length);
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ pid: process.pid, port: server.address().port })}\n`);
});
