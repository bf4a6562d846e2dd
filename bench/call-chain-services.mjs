/**
 * The APIs of the call chain in one process, as its example has them: each checks the token it is called with, exchanges it for
 * one for each API that it calls, and answers when all have answered. Below `/plain` the same calls without any token.
 *
 *   node call-chain-services.mjs FOLDER        prints the addresses by API as one line of JSON; FOLDER has ready.json and secrets
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createClient, fetchTrusting } from '@countersign/client';
import { createVerifier } from '@countersign/resource-server';
import { requireScope } from '@countersign/resource-server/node-http';

const MIDDLE = ['orders', 'stock', 'prices', 'shipping', 'loyalty'];
const LAST = ['ledger', 'tax', 'mail', 'search', 'archive'];

/** By API, whom it calls: 5 + 5 × 5 = 30 calls for one request to the shop. @type {Record<string, string[]>} */
export const CALLS = Object.fromEntries([
  ['shop', MIDDLE],
  ...MIDDLE.map((name) => [name, LAST]),
  ...LAST.map((name) => [name, []]),
]);

/** @param {string} api */
export const resourceOf = (api) => `https://${api}.bench.example`;

/** Where the authority is, and connections to it that are kept. @param {string} folder */
export function authorityOf(folder) {
  const { issuer, ca_file } = JSON.parse(readFileSync(join(folder, 'ready.json'), 'utf8'));
  return { issuer, fetch: fetchTrusting(readFileSync(ca_file, 'utf8')) };
}

/** @typedef {ReturnType<typeof authorityOf>} Authority */

/** @param {string} folder @param {Authority} authority @param {string} identity */
export function clientOf(folder, authority, identity) {
  const clientSecret = readFileSync(join(folder, `${identity}.secret`), 'utf8').trim();
  return createClient({ ...authority, clientId: identity, clientSecret });
}

/** @param {string} folder @param {Authority} authority @param {string} api @param {Record<string, string>} addresses filled as APIs come up */
async function serve(folder, authority, api, addresses) {
  const verifier = createVerifier({ ...authority, audience: resourceOf(api) });
  await verifier.ready();
  const guard = requireScope(verifier, `${api}:read`);
  const next = CALLS[api];
  const client = next.length === 0 ? undefined : clientOf(folder, authority, api);
  const heard = async (/** @type {Response} */ answer) => {
    if (!answer.ok) throw new Error(`${answer.status} of a call by ${api}`);
    return await answer.text();
  };
  const server = createServer(async (request, response) => {
    try {
      if (request.url === '/plain') {
        await Promise.all(next.map(async (to) => heard(await fetch(`${addresses[to]}/plain`))));
      } else {
        if ((await guard(request, response)) === undefined) return;
        const subjectToken = (request.headers.authorization ?? '').split(' ')[1];
        await Promise.all(
          next.map(async (to) =>
            heard(await client.fetch(addresses[to], {}, { resource: resourceOf(to), subjectToken })),
          ),
        );
      }
      response.end('{}');
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  addresses[api] = `http://127.0.0.1:${server.address().port}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  /** @type {Record<string, string>} */
  const addresses = {};
  const folder = process.argv[2] ?? '.';
  const authority = authorityOf(folder);
  for (const api of Object.keys(CALLS)) await serve(folder, authority, api, addresses);
  process.stdout.write(`${JSON.stringify(addresses)}\n`);
}
