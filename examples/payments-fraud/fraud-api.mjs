// The fraud API, over TLS that asks for a certificate and judges none: which one is right, the token says (RFC 8705 §3).
// node fraud-api.mjs FOLDER, where fraud.pem and fraud.key are
import { createServer } from 'node:https';
import { createVerifier } from '@countersign/resource-server';
import { requireScope } from '@countersign/resource-server/node-http';
import { findAuthority } from '../stage/find-authority.mjs';
import { shown } from './certificates.mjs';
import { FRAUD } from './documents.mjs';

const verifier = createVerifier({ ...findAuthority(), audience: FRAUD, senderConstraint: 'mtls' });
await verifier.ready();

/** @type {Record<string, { guard: ReturnType<typeof requireScope>, answer: object }>} */
const ROUTES = {
  'GET /scores/42': { guard: requireScope(verifier, 'fraud:read'), answer: { payment: 42, score: 7 } },
  'POST /rules': { guard: requireScope(verifier, 'fraud:write'), answer: { rule: 'made' } },
};

const tls = { ...shown(process.argv[2] ?? '.', 'fraud'), requestCert: true, rejectUnauthorized: false };
const server = createServer(tls, async (request, response) => {
  const route = ROUTES[`${request.method} ${request.url}`];
  if (route === undefined) return response.writeHead(404).end();
  const caller = await route.guard(request, response);
  if (caller === undefined) return;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ caller: caller.claims.client_id, ...route.answer }));
});
server.listen(0, '127.0.0.1', () => console.log(`https://localhost:${server.address().port}`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await verifier.close();
    process.exit(0);
  });
}
