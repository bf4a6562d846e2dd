// An API as Deno and Bun have it: a function from Request to Response, with a guard around it.
//   deno run --allow-net --allow-read --allow-env reports-api.mjs     bun reports-api.mjs
import { createVerifier } from '@countersign/resource-server';
import { requireScope } from '@countersign/resource-server/fetch';
import { findAuthority } from '../stage/find-authority.mjs';

const audience = process.env['AUDIENCE'] ?? 'https://reports.example';
const verifier = createVerifier({ ...findAuthority(), audience });
await verifier.ready();

const read = requireScope(verifier, 'read', (_request, { claims }) =>
  Response.json({ caller: claims.client_id }),
);
const write = requireScope(verifier, 'write', () => Response.json({ written: true }));

/** @param {Request} request */
const handler = (request) => (request.method === 'GET' ? read(request) : write(request));
const at = { hostname: '127.0.0.1', port: 0 };
const { Deno, Bun } = globalThis;
if (Deno !== undefined) {
  Deno.serve({ ...at, onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`) }, handler);
} else {
  console.log(`http://127.0.0.1:${Bun.serve({ ...at, fetch: handler }).port}`);
}
