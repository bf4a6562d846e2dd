// Tokens bound to a key, at the admin API: RFC 9449 §7, §11.1.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type Answer,
  type Authority,
  ISSUER,
  openAuthority,
  operator,
  START,
} from '../../../test/authority.ts';
import { type ProofKey, proofKey, proofOf } from '../../../test/dpop-proof.ts';
import { flood } from '../../../test/used-proofs.ts';
import { testCertificate } from '../../../test/client-certificate.ts';
import { StorageError } from '../../storage/errors.ts';

const SECONDS = Math.floor(START / 1000);
const OWN = testCertificate();
let authority: Authority;
let key: ProofKey;
let token: string;
beforeEach(async () => {
  authority = await openAuthority();
  key = proofKey();
  token = await authority.tokenFor('admin', { cnf: { jkt: key.jkt } });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const lastReason = (): string | undefined => authority.log.events.at(-1)?.reason;
const proof = (change: object = {}, by = key): string => {
  const ath = createHash('sha256').update(token).digest('base64url');
  return proofOf(by, SECONDS, { htm: 'GET', htu: `${ISSUER}/v1/identities`, ath, ...change });
};
function show(proofs: readonly string[], scheme = 'DPoP', path = '/v1/identities?limit=1'): Promise<Answer> {
  const headers = [['Authorization', `${scheme} ${token}`], ...proofs.map((each) => ['DPoP', each])];
  return authority.call('GET', path, { token: null, headers: headers as [string, string][] });
}

it('a bound token is taken with a new proof each time', async () => {
  for (let i = 0; i < 3; i++) expect((await show([proof()])).status).toBe(200);
  expect((await show([proof({ htu: `${ISSUER}/v1/access` })], 'dpop', '/v1/access')).status).toBe(200);
});

it.each<[string, string, () => Promise<Answer>]>([
  ['bound_token_as_bearer', 'invalid_token', () => show([proof()], 'Bearer')],
  ['dpop_proof_missing', 'invalid_dpop_proof', () => show([])],
  ['dpop_proof_repeated', 'invalid_dpop_proof', () => show([proof(), proof()])],
  ['dpop_proof_refused', 'invalid_dpop_proof', () => show(['x'])],
  ['dpop_proof_refused', 'invalid_dpop_proof', () => show([proof({ htm: 'POST' })])],
  ['dpop_proof_refused', 'invalid_dpop_proof', () => show([proof({ htu: `${ISSUER}/v1/access` })])],
  ['dpop_proof_refused', 'invalid_dpop_proof', () => show([proof({ ath: undefined })])],
  ['dpop_proof_refused', 'invalid_dpop_proof', () => show([proof({ iat: SECONDS - 61 })])],
  ['dpop_key_mismatch', 'invalid_token', () => show([proof({}, proofKey())])],
])('it is refused: %s', async (reason, error, ask) => {
  const answer = await ask();
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
  expect(answer.headers['www-authenticate']).toMatch(
    new RegExp(`^(DPoP|Bearer) realm="countersign", error="${error}"`),
  );
  expect(lastReason()).toBe(reason);
});

it('one proof is taken once in 50 at the same time', async () => {
  const once = proof();
  const answers = await Promise.all(Array.from({ length: 50 }, () => show([once])));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(authority.log.events.filter(({ reason }) => reason === 'dpop_proof_replayed')).toHaveLength(49);
});

it('an unbound token with the scheme of bound ones is refused', async () => {
  token = await authority.tokenFor('admin');
  expect((await show([proof()])).status).toBe(401);
  expect(lastReason()).toBe('unbound_token_as_dpop');
});

it('a proof that cannot be known to be new lets nobody in', async () => {
  const store = authority.storage.usedOnce as { claim: unknown };
  store.claim = () => Promise.reject(new StorageError('unavailable', 'gone'));
  expect((await show([proof()])).status).toBe(503);
});

it('a caller whose share of the used proofs is used up is told when to come back, and others are let in', async () => {
  await flood(authority.storage.usedOnce, 'admin', START + 60_000);
  const answer = await show([proof()]);
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(60);
  expect(authority.log.events.at(-1)).toMatchObject({ identity: 'admin', reason: 'proof_share_used_up' });
  await operator(authority, 'clerk', ['identities:read']);
  token = await authority.tokenFor('clerk', { cnf: { jkt: key.jkt } });
  expect((await show([proof()])).status).toBe(200);
}, 60_000);

it('a bound token without the scope is told so in its own scheme', async () => {
  token = await authority.tokenFor('admin', { cnf: { jkt: key.jkt }, scope: 'access:read' });
  const answer = await show([proof()]);
  expect(answer.status).toBe(403);
  expect(answer.headers['www-authenticate']).toMatch(/^DPoP realm="countersign", error="insufficient_scope"/);
});

it.each<[string | undefined, Uint8Array | undefined, string?]>([
  [undefined, OWN.der],
  ['token_certificate_missing', undefined],
  ['token_certificate_mismatch', testCertificate().der],
  ['unbound_token_as_dpop', OWN.der, 'DPoP'],
])(
  'a token bound to a certificate is for who shows it: %s',
  async (reason, certificate, scheme = 'Bearer') => {
    const bound = await authority.tokenFor('admin', { cnf: { 'x5t#S256': OWN.thumbprint } });
    const headers = { Authorization: `${scheme} ${bound}` };
    const answer = await authority.call('GET', '/v1/identities', { token: null, headers, certificate });
    expect(answer.status).toBe(reason === undefined ? 200 : 401);
    if (reason !== undefined) expect(lastReason()).toBe(reason);
  },
);

it('a token bound to both is for who has both', async () => {
  token = await authority.tokenFor('admin', { cnf: { jkt: key.jkt, 'x5t#S256': OWN.thumbprint } });
  const show = (certificate: Uint8Array | undefined): Promise<Answer> => {
    const headers = { Authorization: `DPoP ${token}`, DPoP: proof() };
    return authority.call('GET', '/v1/identities', { token: null, headers, certificate });
  };
  expect((await show(OWN.der)).status).toBe(200);
  expect((await show(undefined)).status).toBe(401);
});
