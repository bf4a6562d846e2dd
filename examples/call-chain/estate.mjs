// Who calls whom, and what the authority has to know for it: as documents that `countersign apply` takes.

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

/** The file that the secret of an identity is in, beside the documents. @param {string} identity */
export const secretFileOf = (identity) => `${identity}.secret`;

/** @param {string} kind @param {string} name @param {object} spec */
const document = (kind, name, spec) => ({ apiVersion: 'countersign/v1', kind, metadata: { name }, spec });

/** @param {string} api */
function resourceServer(api) {
  const scopes = [{ name: `${api}:read`, description: `read ${api}` }];
  // Who holds it may exchange the tokens that this API is called with.
  if (CALLS[api].length > 0)
    scopes.push({ name: 'tokens:exchange', description: 'call on in the caller’s name' });
  return document('ResourceServer', api, { identifier: resourceOf(api), scopes });
}

/** @param {string} name @param {string} kind */
function identity(name, kind) {
  const owner = { person: 'ada@example.com', team: 'shop' };
  const spec = { kind, environment: 'dev', purpose: `${name} of the shop`, owner, expires_in: '90d' };
  const secret = { identity: name, type: 'client_secret', secretFile: secretFileOf(name) };
  return [document('Identity', name, spec), document('Credential', name, secret)];
}

/** @param {string} name @param {string} api @param {string} scope @param {string} justification */
const access = (name, api, scope, justification) =>
  document('Access', `${name} ${scope}`, {
    identity: name,
    resource_server: resourceOf(api),
    scopes: [scope],
    justification,
    expires_in: '90d',
  });

/**
 * An API calls on in its caller's name for what both of them hold: the caller has access to every API behind the shop, and
 * each API to those that it calls itself.
 */
export function documents() {
  const apis = Object.keys(CALLS);
  const callers = apis.filter((api) => CALLS[api].length > 0);
  return [
    ...apis.map(resourceServer),
    ...identity(CALLER, 'agent'),
    ...callers.flatMap((api) => identity(api, 'service')),
    ...apis.map((api) => access(CALLER, api, `${api}:read`, 'answers what customers ask')),
    ...callers.flatMap((api) => [
      access(api, api, 'tokens:exchange', 'calls on in the name of its callers'),
      ...CALLS[api].map((next) => access(api, next, `${next}:read`, `asks ${next} to answer`)),
    ]),
  ];
}
