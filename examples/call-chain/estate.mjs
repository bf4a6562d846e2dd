// Who calls whom, and what the authority has to know for it: as documents that `countersign apply` takes.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

/** The APIs that the shop's front asks, each of which asks all of the last row. */
const MIDDLE = ['orders', 'stock', 'prices', 'shipping', 'loyalty'];
const LAST = ['ledger', 'tax', 'mail', 'search', 'archive'];

/** By API, the APIs that it calls to answer one request: 5 + 5 × 5 = 30 calls. @type {Record<string, string[]>} */
export const CALLS = Object.fromEntries([
  ['shop', MIDDLE],
  ...MIDDLE.map((name) => [name, LAST]),
  ...LAST.map((name) => [name, []]),
]);

/** Who asks the shop. */
export const CALLER = 'assistant';

/** @param {string} api */
export const resourceOf = (api) => `https://${api}.example`;

/** @param {string} api */
function resourceServer(api) {
  const scopes = [{ name: `${api}:read`, description: `read ${api}` }];
  // Who holds it may exchange the tokens that this API is called with.
  if (CALLS[api].length > 0)
    scopes.push({ name: 'tokens:exchange', description: 'call on in the caller’s name' });
  return document('ResourceServer', api, { identifier: resourceOf(api), scopes });
}

/**
 * An API calls on in its caller's name for what both of them hold: the caller has access to every API behind the shop, and
 * each API to those that it calls itself.
 */
export function documents() {
  const apis = Object.keys(CALLS);
  const callers = apis.filter((api) => CALLS[api].length > 0);
  return [
    ...apis.map(resourceServer),
    ...identityWithSecret(CALLER, { kind: 'agent', purpose: 'answers what customers ask' }),
    ...callers.flatMap((api) => identityWithSecret(api, { purpose: `the API ${api}` })),
    ...apis.map((api) => access(CALLER, resourceOf(api), [`${api}:read`], 'answers what customers ask')),
    ...callers.flatMap((api) => [
      access(api, resourceOf(api), ['tokens:exchange'], 'calls on in the name of its callers'),
      ...CALLS[api].map((next) => access(api, resourceOf(next), [`${next}:read`], `asks ${next} to answer`)),
    ]),
  ];
}
