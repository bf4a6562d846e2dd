// A small API that checks tokens by itself, with the authority's keys and cut-offs; it asks nobody on each request.
import { createServer } from 'node:http';
import { createVerifier, refusalBody, requireScope } from '@countersign/resource-server';
import { findAuthority } from './find-authority.mjs';

/**
 * Serves `routes` on a free port of 127.0.0.1 until it is told to stop, and prints its address.
 * @param {string} audience the API's resource identifier
 * @param {Record<string, { scope: string, answer: object }>} routes by `METHOD /path`
 */
export async function serveProtected(audience, routes) {
  const verifier = createVerifier({ ...findAuthority(), audience });
  await verifier.ready();
  const server = createServer(async (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    if (route === undefined) return response.writeHead(404).end();
    const result = await requireScope(verifier, request, route.scope);
    const headers = { 'content-type': 'application/json' };
    if (!result.ok) {
      return response
        .writeHead(result.status, { ...headers, ...result.headers })
        .end(refusalBody(result.error));
    }
    const caller = result.claims.client_id;
    return response.writeHead(200, headers).end(JSON.stringify({ caller, ...route.answer }));
  });
  server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      server.close();
      server.closeAllConnections();
      await verifier.close();
    });
  }
}
