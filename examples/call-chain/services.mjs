// All APIs of the estate, each on a port of its own. Each checks the token it is called with, exchanges it for one for
// each API that it calls in turn, and answers what it heard. Prints its address by name, as one line of JSON.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createClient } from '@countersign/client';
import { createVerifier } from '@countersign/resource-server';
import { requireScope } from '@countersign/resource-server/node-http';
import { findAuthority } from '../stage/find-authority.mjs';
import { CALLS, resourceOf } from './estate.mjs';

const secrets = process.argv[2] ?? '.';
const authority = findAuthority();
/** @type {Record<string, string>} */
const addresses = {};

/** @param {string} api */
async function serve(api) {
  const verifier = createVerifier({ ...authority, audience: resourceOf(api) });
  await verifier.ready();
  const guard = requireScope(verifier, `${api}:read`);
  const client = CALLS[api].length === 0 ? undefined : clientOf(api);

  const server = createServer(async (request, response) => {
    const caller = await guard(request, response);
    if (caller === undefined) return;
    const subjectToken = (request.headers.authorization ?? '').split(' ')[1];
    const asked = CALLS[api].map(async (next) => {
      try {
        const answer = await client.fetch(addresses[next], {}, { resource: resourceOf(next), subjectToken });
        return answer.ok ? await answer.json() : { api: next, refused: `${answer.status}` };
      } catch (error) {
        return { api: next, refused: error.error ?? error.code };
      }
    });
    const { sub, act } = caller.claims;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ api, sub, actors: actors(act), heard: await Promise.all(asked) }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  addresses[api] = `http://127.0.0.1:${server.address().port}/`;
  return async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all([verifier.close(), client?.close()]);
  };
}

/** @param {string} api */
function clientOf(api) {
  const clientSecret = readFileSync(join(secrets, `${api}.secret`), 'utf8').trim();
  return createClient({ ...authority, clientId: api, clientSecret });
}

/** Who acts, and who acted before: RFC 8693 §4.1. */
const actors = (act) => (act === undefined ? [] : [act.client_id ?? act.sub, ...actors(act.act)]);

const closing = await Promise.all(Object.keys(CALLS).map(serve));
console.log(JSON.stringify(addresses));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await Promise.all(closing.map((close) => close()));
    process.exit(0);
  });
}
