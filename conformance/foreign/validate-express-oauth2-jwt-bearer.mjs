// express-oauth2-jwt-bearer in its strict mode, which is RFC 9068's, in front of a bare server. CA: NODE_EXTRA_CA_CERTS.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { auth } from 'express-oauth2-jwt-bearer';

const { TOKEN, ISSUER, RESOURCE, JWKS_URI, ALG, STRICT } = process.env;
const check = auth({
  issuer: ISSUER,
  jwksUri: JWKS_URI,
  audience: RESOURCE,
  tokenSigningAlg: ALG ?? 'ES256',
  strict: STRICT !== 'no',
});
const server = createServer((request, response) => {
  const finish = (error) =>
    response
      .writeHead(error?.status ?? 200)
      .end(error === undefined ? JSON.stringify(request.auth.payload) : String(error.message));
  // what it asks of Express
  const get = (name) => request.headers[name.toLowerCase()];
  Object.assign(request, { query: {}, protocol: 'http', originalUrl: request.url, is: () => false, get });
  check(request, response, finish);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, {
  headers: { authorization: `Bearer ${TOKEN}` },
});
const text = await answer.text();
server.close();
if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
console.log(text);
