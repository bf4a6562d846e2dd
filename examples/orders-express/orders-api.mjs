// An Express API: one line before each route says what it needs.
import { createVerifier } from '@countersign/resource-server';
import { requireScope, resourceMetadata } from '@countersign/resource-server/express';
import express from 'express';
import { findAuthority } from '../stage/find-authority.mjs';
import { ORDERS } from './documents.mjs';

const verifier = createVerifier({
  ...findAuthority(),
  audience: ORDERS,
  metadata: { scopes: ['orders:read', 'orders:write'] },
});
await verifier.ready();

const orders = new Map();
const app = express();
app.use(resourceMetadata(verifier));
app.get('/orders', requireScope(verifier, 'orders:read'), (_request, response) => {
  response.json([...orders.values()]);
});
app.post('/orders', requireScope(verifier, 'orders:write'), express.json(), (request, response) => {
  // Who placed it is what the token says, never what the body says.
  const order = { ...request.body, id: orders.size + 1, by: request.auth.claims.client_id };
  orders.set(order.id, order);
  response.status(201).json(order);
});

const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await verifier.close();
    process.exit(0);
  });
}
