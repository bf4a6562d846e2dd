// Every reason for which the token endpoint refuses: reached, and pinned to its answer (RFC 6749 §5.2).
import {
  ACE,
  ACE_MEDIA_TYPE,
  aceErrorNumber,
  type CborMap,
  type CborValue,
  decodeStrict,
  encodeCbor,
} from '@countersign/cose';
import { generateKeyPairSync } from 'node:crypto';
import {
  createDpopNonces,
  formatBasicCredentials,
  generateSecret,
  jwkThumbprint,
  signJws,
  TOKEN_EXCHANGE,
  TOKEN_TYPE,
} from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../../../test/client-certificate.ts';
import {
  addClientKey,
  assertionForm,
  assertionOf,
  type ClientKey,
  clientKey,
} from '../../../test/client-assertion.ts';
import {
  addTlsClient,
  askByCertificate,
  clientAuthority,
  type Issued,
  onlyBelow,
} from '../../../test/client-authority.ts';
import { proofKey, proofOf } from '../../../test/dpop-proof.ts';
import { addExchange, type ExchangeScene, scopesOf, TOKEN } from '../../../test/exchange-scene.ts';
import { addFederation, assertingAsGrant, SECONDS } from '../../../test/federation-scene.ts';
import { addSpiffe, askByJwtSvid, declareDomain, jwtSvidOf, otherDomain } from '../../../test/svid-scene.ts';
import { flood } from '../../../test/used-proofs.ts';
import { openPeopleScene } from '../../../test/people-scene.ts';
import {
  addApiKey,
  changed,
  FRAUD,
  ISSUER,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import {
  accessRecord,
  credentialRecord,
  freshId,
  identityRecord,
  resourceServerRecord,
} from '../../storage/contract/records.ts';
import type { ClaimCodeRecord } from '../../storage/claim-codes.ts';
import { askRenewal, issueTo, newRequest } from '../../../test/issuing.ts';
import { readPem } from '../../x509/pem.ts';
import { keySubject } from '../../registry/key-subject.ts';
import { gradualPlan, USUAL_PHASES } from '../../registry/decommissioning.ts';
import { StorageError } from '../../storage/errors.ts';
import { extendedKeyUsage } from '../../http/certificate.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { OAuthDeps } from '../compose.ts';
import type { SenderConstraint } from '../sender-constraint/constraint.ts';
import { REFUSAL_REASONS, refusalEntry, type RefusalReason, REFUSALS } from '../refusal.ts';
import { createBudgets, REVOCATIONS } from './budgets.ts';
import { errorResponse, serverErrorResponse } from './error-response.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

type Reach = (scene: TokenScene) => Promise<HttpResponse>;
interface Expected {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  readonly reach: Reach;
  readonly headers?: object;
}

const body =
  (text: string): Reach =>
  (s) =>
    s.ask('', { body: text });
const more =
  (text: string): Reach =>
  (s) =>
    s.ask(text);
const suspendedBy =
  (change: (s: TokenScene) => Promise<void>): Reach =>
  async (s) => {
    await change(s);
    return await s.ask();
  };
const CLIENTS = clientAuthority(NOW);
const OTHER = otherDomain('other.test');
const WORKLOAD = 'spiffe://other.test/payments';
/** A JWT-SVID of a declared trust domain, that the client has a credential for, with these claims. */
const withSvid =
  (claims: object, form?: Readonly<Record<string, string>>): Reach =>
  async (s) => {
    await declareDomain(s, OTHER);
    await addSpiffe(s, WORKLOAD);
    return await askByJwtSvid(s, jwtSvidOf(OTHER, WORKLOAD, claims), form);
  };
const showing =
  (issued: () => Issued): Reach =>
  async (s) => {
    await addTlsClient(s, CLIENTS);
    return await askByCertificate(s, [issued()]);
  };
const identityIs = (change: object): Reach =>
  suspendedBy((s) => s.storage.identities.replace(changed(s.identity, change)));
const credentialIs = (change: object): Reach =>
  suspendedBy((s) => s.storage.credentials.replace(changed(s.credential, change)));
const accessIs = (change: object): Reach =>
  suspendedBy((s) => s.storage.access.replace(changed(s.access, change)));

/** At a resource server that wants DPoP, with these proofs in the request. */
function bindingTo(...shown: SenderConstraint['name'][]): Reach {
  return async (s) => {
    await s.storage.resourceServers.replace(changed(s.server, { senderConstraint: 'dpop' }));
    const constraints = shown.map((name) => ({ name, confirm: () => ({ jkt: 'x' }) }));
    const { facts, secretHash, log, counters } = s.deps;
    const other = await openTokenScene({ facts, secretHash, log, counters }, constraints);
    const answer = await other.ask('', { authorization: formatBasicCredentials('payments', s.secret) });
    await other.close();
    return answer;
  };
}

/** With this in the DPoP header (or headers), where proofs are looked at. */
function proving(made: (now: number) => string[], dpop: Partial<DpopSettings> = {}): Reach {
  return async (s) => {
    const { facts, secretHash, log, counters } = s.deps;
    const settings = { nonceKey: undefined, ...dpop };
    const other = await openTokenScene({
      facts,
      secretHash,
      log,
      counters,
      usedOnce: s.storage.usedOnce,
      dpop: settings,
    });
    const authorization = formatBasicCredentials('payments', s.secret);
    const headers = made(Math.floor(NOW / 1000)).flatMap((each) => ['dpop', each]);
    let answer = await other.ask('', { authorization, headers });
    // A proof that is used up takes two.
    if (answer.status === 200) {
      s.log.events.length = 0;
      s.counters.tokensIssued = 0;
      answer = await other.ask('', { authorization, headers });
    }
    await other.close();
    return answer;
  };
}
type DpopSettings = NonNullable<OAuthDeps['dpop']>;
const KEY = proofKey();
const NONCE_KEY = new Uint8Array(32).fill(3);
/** A certificate of nobody, where certificates are seen. */
const showingCertificate: Reach = async (s) => {
  const { facts, secretHash, log, counters, strangers } = s.deps;
  const other = await openTokenScene({
    facts,
    secretHash,
    log,
    counters,
    strangers,
    clientCertificates: true,
  });
  const request = { clientCertificate: { chain: [testCertificate().der], source: 'tls' } } as const;
  const answer = await other.ask('client_id=payments', { authorization: null, request });
  await other.close();
  return answer;
};
function badProof(reach: Reach): Expected {
  return denied('invalid_dpop_proof', 'the DPoP proof does not hold', reach);
}
function nonceNeeded(claims: object): Expected {
  const reach = proving((now) => [proofOf(KEY, now, claims)], { nonceKey: NONCE_KEY });
  const headers = { 'dpop-nonce': createDpopNonces(NONCE_KEY).current(NOW) };
  return { ...denied('use_dpop_nonce', 'the DPoP proof needs the nonce given here', reach), headers };
}

/** With an assertion by a registered key, in which this is otherwise. */
function asserting(claims: object, header: object = {}, form: object = {}): Reach {
  return async (s) => {
    await addClientKey(s, CLIENT_KEY);
    const assertion = assertionOf(CLIENT_KEY, Math.floor(NOW / 1000), claims, header);
    return await s.ask(assertionForm(assertion, form), { authorization: null });
  };
}
const CLIENT_KEY = clientKey();

function malformed(description: string, reach: Reach, status = 400): Expected {
  return { status, error: 'invalid_request', description, reach };
}
function notAuthenticated(reach: Reach): Expected {
  return { status: 401, error: 'invalid_client', description: 'client authentication failed', reach };
}
function denied(error: string, description: string, reach: Reach): Expected {
  return { status: 400, error, description, reach };
}
/** Refused while it asks for a successor of its key. */
function rotating(description: string, form: () => object): Expected {
  return denied('invalid_request', description, async (s) => {
    const present = clientKey();
    await addClientKey(s, present);
    return await rotate(s, assertionOf(present, SECONDS), form());
  });
}
function rotate(s: TokenScene, assertion: string, form: object): Promise<HttpResponse> {
  return s.call('/oauth/rotate', {
    body: Buffer.from(assertionForm(assertion, form)),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
  });
}
/** Refused while it asks for the next of its certificates with this request. */
function renewing(error: string, description: string, csr: string): Expected {
  return denied(error, description, async (s) => {
    const { chain } = await issueTo(s);
    return await askRenewal(s, readPem(chain, 'CERTIFICATE') ?? [], csr);
  });
}
function claiming(s: TokenScene, form: Record<string, string>): Promise<HttpResponse> {
  return s.call('/oauth/claim', {
    body: Buffer.from(new URLSearchParams(form).toString()),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
  });
}
/** A claim with a code that is right, and that is like this. */
function claimingWith(change: Partial<ClaimCodeRecord>, csr: string = newRequest()): Reach {
  return async (s) => {
    const { secret: code, publicId } = generateSecret('cdc', s.deps.random);
    await s.storage.claimCodes.insert({
      id: 'clm_1',
      identityId: s.identity.id,
      publicId,
      digest: s.deps.secretHash.digest(code),
      state: 'open',
      madeBy: { kind: 'machine', clientId: 'admin' },
      expiresAt: NOW + 60_000,
      createdAt: NOW,
      updatedAt: NOW,
      version: 1,
      ...change,
    });
    return await claiming(s, { code, csr });
  };
}
function newKeyProof({ alg, privateKey, jwk }: ClientKey, header: object = {}): string {
  const claims = JSON.stringify({ iss: 'payments', aud: ISSUER, iat: SECONDS });
  const signer = { kid: undefined, alg, keyObject: privateKey };
  return signJws({ typ: 'new-key+jwt', jwk, ...header }, claims, signer);
}
/** The second request of an API key, with these limits. */
const NO_LIMITS = { issuanceQuota: undefined, enforced: true, apiKeyRate: 100, failureLimit: undefined };

function usedUp(limit: { apiKeyRate?: number; issuanceQuota?: number }): Expected {
  return {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'too many requests of this client',
    reach: async (s) => {
      await s.storage.identities.replace(changed(s.identity, { environment: 'test' }));
      const ask = { authorization: null, headers: ['X-API-Key', await addApiKey(s)] };
      const { facts, secretHash, log, counters } = s.deps;
      const budgets = createBudgets({ ...NO_LIMITS, ...limit });
      const before = await openTokenScene({ facts, secretHash, budgets });
      expect((await before.ask('', ask)).status).toBe(200);
      await before.close();
      const other = await openTokenScene({ facts, secretHash, log, counters, budgets });
      const answer = await other.ask('', ask);
      await other.close();
      return answer;
    },
  };
}

/** An exchange (RFC 8693) of a good token with this in the form, or by another way. */
function exchanging(
  change: Readonly<Record<string, string | undefined>>,
  before?: (s: TokenScene, exch: ExchangeScene) => Promise<unknown>,
): Reach {
  return async (s) => {
    const exch = await addExchange(s);
    const subject = await exch.subjectToken();
    await before?.(s, exch);
    return await exch.exchange(subject, change);
  };
}
/** An exchange of a token of this authority with these claims. */
function exchangingClaims(claims: (s: TokenScene) => object): Reach {
  return async (s) => {
    const exch = await addExchange(s);
    const [, payload = ''] = (await exch.subjectToken()).split('.');
    const all = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims(s) };
    return await exch.exchange(await s.deps.keystore.sign('ES256', 'at+jwt', JSON.stringify(all)));
  };
}
function badSubject(reach: Reach): Expected {
  return denied('invalid_request', 'the subject token is not acceptable', reach);
}

/** An assertion (RFC 7523) of a trusted issuer with these claims, or changed in another way. */
function badAssertion(
  claims: object,
  change: Parameters<typeof addFederation>[1] & AssertionChange = {},
): Expected {
  return denied('invalid_grant', 'the assertion is not acceptable', async (s) => {
    const federation = await addFederation(s, change);
    const made = federation.assertion(claims, change.header, change.key);
    const text = change.token?.(made) ?? made;
    if (change.before === true) {
      expect((await assertingAsGrant(s, text)).status).toBe(200);
      s.log.events.length = 0;
      s.counters.tokensIssued = 0;
    }
    return await assertingAsGrant(s, text, change.more);
  });
}
interface AssertionChange {
  readonly header?: object;
  readonly key?: { readonly kid: string };
  readonly token?: (made: string) => string;
  readonly more?: string;
  /** It was used already. */
  readonly before?: boolean;
}

/** A person's sign-in (OpenID Connect Core §3.1.3.7), told like one of the scene. */
function signingIn({
  claims = {},
  change = {},
  issuer = {},
  authorization = null,
  left = false,
}: SignInChange): Reach {
  return async (s) => {
    const { facts, log, strangers, counters } = s.deps;
    const people = await openPeopleScene(issuer, { facts, log, strangers, counters });
    if (left) Object.assign(people.scene.deps.people, { standing: () => Promise.resolve('left') });
    const answer = await people.signIn(people.idToken(claims), change, { authorization });
    await people.scene.close();
    return answer;
  };
}
function notSignedIn(change: SignInChange): Expected {
  return denied('invalid_grant', 'the sign-in is not acceptable', signingIn(change));
}
interface SignInChange {
  readonly claims?: object;
  readonly change?: Readonly<Record<string, string | null>>;
  readonly issuer?: Parameters<typeof openPeopleScene>[0];
  readonly authorization?: string | null;
  readonly left?: boolean;
}

const NOT_WELL_FORMED = 'the body is not well-formed';
const NO_ACCESS = 'the client has no access to this resource';

/** Asks in CBOR; what comes back is written as the others are, to be held against the same table. */
const inCbor =
  (error: string, asked: ReadonlyMap<number, CborValue>, format: 'cwt' | 'jwt' = 'cwt'): Reach =>
  async (s) => {
    await s.storage.resourceServers.replace(changed(s.server, { token: { ...s.server.token, format } }));
    const answer = await s.ask('', { contentType: ACE_MEDIA_TYPE, body: encodeCbor(asked) });
    const read = decodeStrict(answer.body as Uint8Array);
    const told = read.ok ? (read.value as CborMap) : new Map<number, CborValue>();
    expect(told.get(ACE.error)).toBe(aceErrorNumber(error));
    expect(answer.headers['content-type']).toBe(ACE_MEDIA_TYPE);
    const body = JSON.stringify({ error, error_description: told.get(ACE.errorDescription) });
    return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body };
  };

const TABLE: { readonly [reason in RefusalReason]: Expected } = {
  wrong_content_type: malformed(
    'the body must be application/x-www-form-urlencoded',
    (s) => s.ask('', { contentType: 'application/json' }),
    415,
  ),
  credentials_in_query: malformed('parameters belong in the body, not in the URL', (s) =>
    s.ask('', { query: 'client_secret=x' }),
  ),
  form_bad_percent_encoding: malformed(NOT_WELL_FORMED, body('a=%zz')),
  form_bad_utf8: malformed(NOT_WELL_FORMED, body('a=%ff')),
  form_nul: malformed(NOT_WELL_FORMED, body('a=%00')),
  form_duplicate_parameter: malformed('a parameter is repeated', more('scope=a&scope=b')),
  form_too_many_parameters: malformed(
    'too many parameters',
    more(Array.from({ length: 60 }, (_, i) => `p${i}=1`).join('&')),
  ),
  form_name_too_long: malformed(NOT_WELL_FORMED, more(`${'n'.repeat(300)}=1`)),
  form_empty_name: malformed(NOT_WELL_FORMED, more('=1')),
  json_malformed: malformed(NOT_WELL_FORMED, (s) =>
    s.ask('', { contentType: 'application/json', body: '{"grant_type":"a","grant_type":"a"}' }),
  ),
  ace_malformed: malformed(NOT_WELL_FORMED, inCbor('invalid_request', new Map([[ACE.scope, 1]]))),
  ace_pop_key_unsupported: denied(
    'unsupported_pop_key',
    'req_cnf may only name a key that was given here: the authority chooses keys',
    inCbor('unsupported_pop_key', new Map([[ACE.reqCnf, new Map([[1, new Map([[1, 2]])]])]])),
  ),
  ace_pop_key_unknown: denied(
    'unsupported_pop_key',
    'the key that req_cnf names is not known',
    inCbor('unsupported_pop_key', new Map([[ACE.reqCnf, new Map([[3, new Uint8Array(8)]])]])),
  ),
  ace_profile_missing: denied(
    'incompatible_ace_profiles',
    'tokens for this resource are asked for with a form',
    inCbor('incompatible_ace_profiles', new Map(), 'jwt'),
  ),
  cwt_by_form: denied(
    'invalid_request',
    'tokens for this resource are asked for with application/ace+cbor',
    async (s) => {
      const token = { ...s.server.token, format: 'cwt' as const };
      await s.storage.resourceServers.replace(changed(s.server, { token }));
      return await s.ask();
    },
  ),
  grant_type_missing: malformed('grant_type is missing', body('scope=fraud:read')),
  grant_type_unknown: denied(
    'unsupported_grant_type',
    'this grant_type is not supported',
    body('grant_type=password'),
  ),
  authorization_repeated: malformed('more than one Authorization header', (s) =>
    s.ask('', { headers: ['authorization', formatBasicCredentials('payments', s.secret)] }),
  ),
  several_client_auth_methods: malformed('more than one way of client authentication', (s) =>
    s.ask(`client_secret=${s.secret}`),
  ),
  client_id_mismatch: malformed('client_id differs from the authenticated client', more('client_id=billing')),
  client_authentication_missing: notAuthenticated((s) =>
    s.ask('client_id=payments', { authorization: null }),
  ),
  authorization_unreadable: notAuthenticated((s) => s.ask('', { authorization: 'Basic !' })),
  api_key_malformed: notAuthenticated((s) => s.ask('', { authorization: 'Bearer cak_x' })),
  client_certificate_header_spoofed: notAuthenticated((s) =>
    s.ask('', { request: { clientCertificateFault: 'spoofed' } }),
  ),
  client_certificate_header_malformed: notAuthenticated((s) =>
    s.ask('', { request: { clientCertificateFault: 'malformed' } }),
  ),
  client_assertion_type_unknown: notAuthenticated(asserting({}, {}, { client_assertion_type: 'x' })),
  client_assertion_malformed: notAuthenticated(asserting({}, {}, { client_assertion: 'x' })),
  client_assertion_wrong_typ: notAuthenticated(asserting({}, { typ: 'at+jwt' })),
  client_assertion_algorithm: notAuthenticated(
    asserting({}, {}, { client_assertion: 'eyJhbGciOiJub25lIn0.e30.AAAA' }),
  ),
  client_assertion_claims: notAuthenticated(asserting({ jti: 1 })),
  client_assertion_key_unknown: notAuthenticated((s) =>
    s.ask(assertionForm(assertionOf(CLIENT_KEY, Math.floor(NOW / 1000))), { authorization: null }),
  ),
  client_assertion_keys_unavailable: notAuthenticated(async (s) => {
    const jwksUri = 'https://client.test/jwks';
    await addClientKey(s, CLIENT_KEY, { jwksUri });
    const assertion = assertionOf(CLIENT_KEY, Math.floor(NOW / 1000));
    return await s.ask(assertionForm(assertion), { authorization: null });
  }),
  client_assertion_signature: notAuthenticated(async (s) => {
    await addClientKey(s, clientKey());
    const assertion = assertionOf(CLIENT_KEY, Math.floor(NOW / 1000));
    return await s.ask(assertionForm(assertion), { authorization: null });
  }),
  client_assertion_audience: notAuthenticated(asserting({ aud: 'https://authority.test/oauth/token' })),
  client_assertion_outdated: notAuthenticated(asserting({ exp: Math.floor(NOW / 1000) - 30 })),
  client_assertion_too_long_lived: notAuthenticated(asserting({ exp: Math.floor(NOW / 1000) + 3631 })),
  client_assertion_replayed: notAuthenticated(async (s) => {
    await addClientKey(s, CLIENT_KEY);
    const form = assertionForm(assertionOf(CLIENT_KEY, Math.floor(NOW / 1000)));
    expect((await s.ask(form, { authorization: null })).status).toBe(200);
    s.log.events.length = 0;
    s.counters.tokensIssued = 0;
    return await s.ask(form, { authorization: null });
  }),
  certificate_missing: notAuthenticated(async (s) => {
    await addTlsClient(s, CLIENTS);
    return await s.ask('client_id=payments', { authorization: null });
  }),
  certificate_malformed: notAuthenticated((s) => askByCertificate(s, [{ der: Uint8Array.of(0x30, 0) }])),
  certificate_subject_mismatch: notAuthenticated(showing(() => CLIENTS.issue({ subject: 'billing' }))),
  svid_malformed: notAuthenticated((s) => askByJwtSvid(s, 'x.y.z')),
  svid_client_id_missing: notAuthenticated(withSvid({}, {})),
  svid_trust_domain_unknown: notAuthenticated((s) => askByJwtSvid(s, jwtSvidOf(OTHER, WORKLOAD))),
  svid_untrusted: notAuthenticated(async (s) => {
    await declareDomain(s, OTHER);
    return await askByJwtSvid(s, jwtSvidOf(otherDomain('c.test'), WORKLOAD));
  }),
  svid_audience: notAuthenticated(withSvid({ aud: ['https://b'] })),
  svid_outdated: notAuthenticated(withSvid({ exp: SECONDS - 1 })),
  svid_id_mismatch: notAuthenticated(withSvid({ sub: `${WORKLOAD}/other` })),
  certificate_untrusted: notAuthenticated(showing(() => clientAuthority(NOW, 'others').issue())),
  certificate_not_yet_valid: notAuthenticated(showing(() => CLIENTS.issue({ notBefore: NOW + 1000 }))),
  certificate_expired: notAuthenticated(showing(() => CLIENTS.issue({ notAfter: NOW - 1000 }))),
  certificate_wrong_purpose: notAuthenticated(
    showing(() => CLIENTS.issue({ extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.1')] })),
  ),
  certificate_weak: notAuthenticated(
    showing(() =>
      CLIENTS.issue({ publicKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey }),
    ),
  ),
  certificate_outside_constraints: notAuthenticated(async (s) => {
    const bounded = clientAuthority(NOW, 'bounded', [onlyBelow('good.test')]);
    await addTlsClient(s, bounded);
    return await askByCertificate(s, [bounded.issue({ dns: ['evil.test'] })]);
  }),
  certificate_revoked: notAuthenticated(async (s) => {
    const gone = CLIENTS.issue();
    await addTlsClient(s, CLIENTS, { crl: CLIENTS.crl([gone]) });
    return await askByCertificate(s, [gone]);
  }),
  certificate_revocation_unknown: notAuthenticated(async (s) => {
    await addTlsClient(s, CLIENTS, { crl: CLIENTS.crl([], NOW - 1000) });
    return await askByCertificate(s, [CLIENTS.issue()]);
  }),
  client_unknown: notAuthenticated((s) =>
    s.ask('', { authorization: formatBasicCredentials('billing', s.secret) }),
  ),
  secret_mismatch: notAuthenticated((s) =>
    s.ask('', { authorization: formatBasicCredentials('payments', `${s.secret}x`) }),
  ),
  certificate_mismatch: notAuthenticated(showingCertificate),
  credential_not_yet_valid: notAuthenticated(credentialIs({ notBeforeAt: NOW + 1 })),
  credential_expired: notAuthenticated(credentialIs({ expiresAt: NOW })),
  credential_suspended: notAuthenticated(credentialIs({ state: 'suspended' })),
  credential_revoked: notAuthenticated(credentialIs({ state: 'revoked' })),
  identity_not_active: notAuthenticated(identityIs({ state: 'draft' })),
  identity_suspended: notAuthenticated(identityIs({ state: 'suspended' })),
  identity_decommissioned: notAuthenticated(identityIs({ state: 'decommissioning' })),
  identity_brown_out: notAuthenticated(
    identityIs({
      state: 'decommissioning',
      decommissioning: {
        ...gradualPlan(USUAL_PHASES, NOW, false),
        brownOuts: [{ from: NOW - 1, to: NOW + 1000 }],
      },
    }),
  ),
  identity_expired: notAuthenticated(identityIs({ expiresAt: NOW })),
  assertion_missing: malformed('assertion is missing', (s) => assertingAsGrant(s, '')),
  assertion_malformed: badAssertion({}, { token: () => 'a.b.c' }),
  assertion_issuer_unknown: badAssertion({ iss: 'https://issuer.test/' }),
  assertion_issuer_suspended: badAssertion({}, { issuer: { state: 'suspended' } }),
  assertion_issuer_of_people: badAssertion({}, { issuer: { kind: 'people' } }),
  assertion_wrong_typ: badAssertion({}, { header: { typ: 'at+jwt' } }),
  assertion_algorithm_not_allowed: badAssertion({}, { issuer: { algorithms: ['RS256'] } }),
  assertion_keys_unavailable: badAssertion({}, { issuer: { keys: { from: 'discovery' } } }),
  assertion_key_unknown: badAssertion({}, { key: { kid: 'other' } }),
  assertion_signature: badAssertion({}, { token: (token) => `${token.slice(0, -8)}AAAAAAAA` }),
  assertion_audience: badAssertion({ aud: [ISSUER, 'https://elsewhere.test'] }),
  assertion_expired: badAssertion({ exp: SECONDS - 30 }),
  assertion_not_yet_valid: badAssertion({ iat: SECONDS + 31 }),
  assertion_stale: badAssertion({ iat: SECONDS - 601 }),
  assertion_no_rule: badAssertion({ sub: 'somebody-else' }),
  assertion_condition_not_met: badAssertion({ environment: 'test' }),
  assertion_rule_not_usable: badAssertion({}, { credential: { state: 'suspended' } }),
  assertion_ambiguous: badAssertion({}, { twice: true }),
  assertion_of_another_client: badAssertion({}, { more: '&client_id=billing' }),
  assertion_replayed: badAssertion({}, { before: true }),
  resource_malformed: denied(
    'invalid_target',
    'resource is not an absolute URI without fragment',
    more(`resource=${FRAUD}%23top`),
  ),
  several_resources: denied(
    'invalid_target',
    'one token is for one resource',
    more(`resource=${FRAUD}&resource=https://ledger.test`),
  ),
  resource_missing: denied(
    'invalid_target',
    'resource is needed: the client has access to none or to several',
    async (s) => {
      const other = resourceServerRecord();
      await s.storage.resourceServers.insert(other);
      await s.storage.access.insert(accessRecord(s.identity.id, other.id));
      return await s.ask();
    },
  ),
  resource_unknown: denied('invalid_target', NO_ACCESS, more('resource=https://ledger.test')),
  access_expired: denied('invalid_target', NO_ACCESS, async (s) => {
    await s.storage.access.replace(changed(s.access, { expiresAt: NOW }));
    return await s.ask(`resource=${FRAUD}`);
  }),
  // The registry's reader shows active access only; the endpoint does not count on that.
  access_missing: denied('invalid_target', NO_ACCESS, async (s) => {
    const facts = await s.deps.facts.byClientId('payments');
    const revoked = facts?.access.map((each) => ({
      ...each,
      access: { ...each.access, state: 'revoked' as const },
    }));
    const deaf = { byKeyId: () => undefined, byClientId: () => facts && { ...facts, access: revoked ?? [] } };
    const other = await openTokenScene({ facts: deaf, secretHash: s.deps.secretHash, log: s.deps.log });
    const answer = await other.ask('', { authorization: formatBasicCredentials('payments', s.secret) });
    await other.close();
    return answer;
  }),
  scope_malformed: denied('invalid_scope', 'scope is malformed', more('scope=a++b')),
  authorization_details_unsupported: denied(
    'invalid_authorization_details',
    'authorization_details are not supported',
    more(`authorization_details=${encodeURIComponent('[{"type":"payment"}]')}`),
  ),
  scope_not_held: denied('invalid_scope', 'none of the scopes asked for is held', more('scope=fraud:admin')),
  subject_token_missing: denied(
    'invalid_request',
    'subject_token and subject_token_type are needed',
    exchanging({ subject_token_type: '' }),
  ),
  actor_token_incomplete: denied(
    'invalid_request',
    'actor_token and actor_token_type come together',
    exchanging({ actor_token_type: TOKEN }),
  ),
  token_type_unsupported: denied(
    'invalid_request',
    'only access tokens are exchanged here',
    exchanging({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
  ),
  subject_token_unknown: badSubject(exchanging({ subject_token: 'a.b.c' })),
  subject_token_not_trusted: badSubject(async (s) => {
    const { assertion } = await addFederation(s);
    const form = {
      grant_type: TOKEN_EXCHANGE,
      subject_token: assertion({ environment: 'test' }),
      subject_token_type: TOKEN_TYPE.jwt,
    };
    return await s.ask('', { authorization: null, body: new URLSearchParams(form).toString() });
  }),
  subject_token_dead: badSubject(exchanging({}, async (s) => s.clock.set(NOW + 600_000))),
  subject_token_not_for_client: badSubject(
    exchanging({}, (s, { fraud }) =>
      s.storage.resourceServers.replace(changed(fraud, { scopes: fraud.scopes.slice(0, 2) })),
    ),
  ),
  subject_token_bound: badSubject(
    exchangingClaims(() => ({ cnf: { jkt: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' } })),
  ),
  actor_token_unacceptable: denied('invalid_request', 'the actor token is not acceptable', async (s) => {
    const exch = await addExchange(s);
    const subject = await exch.subjectToken();
    return await exch.exchange(subject, { actor_token: subject, actor_token_type: TOKEN });
  }),
  actor_not_permitted: badSubject(exchangingClaims(() => ({ may_act: { sub: 'somebody-else' } }))),
  actor_chain_too_long: badSubject(
    exchangingClaims((s) => {
      const via = { jti: 'j', crd: s.credential.id, aud: FRAUD, scope: 'fraud:read', kid: 'k' };
      const act = {
        sub: 'payments',
        act: { sub: 'payments', act: { sub: 'payments', act: { sub: 'payments' } } },
      };
      return { act, via: [via, via, via, via] };
    }),
  ),
  subject_access_missing: denied(
    'invalid_target',
    NO_ACCESS,
    exchanging({}, (s, { access }) =>
      s.storage.access.replace(changed(access.subject, { state: 'revoked' })),
    ),
  ),
  subject_scope_not_held: denied(
    'invalid_scope',
    'none of the scopes asked for is held',
    exchanging({ scope: 'ledger:close' }),
  ),
  resource_not_delegable: denied(
    'invalid_target',
    NO_ACCESS,
    exchanging({}, (s, { ledger }) => s.storage.resourceServers.replace(changed(ledger, { builtIn: true }))),
  ),
  several_sender_constraints: malformed(
    'a token is bound to one proof of possession',
    bindingTo('dpop', 'mtls'),
  ),
  sender_constraint_missing: denied(
    'invalid_request',
    'the resource takes only tokens that are bound to their holder',
    bindingTo(),
  ),
  api_key_rate_exceeded: usedUp({ apiKeyRate: 1 }),
  issuance_quota_exceeded: usedUp({ issuanceQuota: 1 }),
  proof_share_used_up: {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'too many requests of this client',
    // To the end of the 64 seconds that are counted together.
    headers: { 'retry-after': '12' },
    reach: async (s) => {
      const key = clientKey();
      await addClientKey(s, key);
      await flood(s.storage.usedOnce, 'payments', NOW);
      return await s.ask(assertionForm(assertionOf(key, SECONDS)), { authorization: null });
    },
  },
  revocation_rate_exceeded: {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'too many requests of this client',
    headers: { 'retry-after': '1' },
    reach: async (s) => {
      const { facts, secretHash, log, counters } = s.deps;
      const budgets = createBudgets(NO_LIMITS);
      const other = await openTokenScene({ facts, secretHash, log, counters, budgets });
      const authorization = formatBasicCredentials('payments', s.secret);
      const token = String(jsonOf(await other.ask('', { authorization })).access_token);
      // What is looked at is the refusal.
      s.log.events.length = counters.tokensIssued = 0;
      for (let i = 0; i < REVOCATIONS.atOnce; i++) budgets.spendRevocation(s.identity, NOW);
      const answer = await other.about('/oauth/revoke', token, authorization);
      await other.close();
      return answer;
    },
  },
  method_not_allowed: denied('access_denied', 'a policy of this authority does not allow it', async (s) => {
    const key = await addApiKey(s);
    await s.storage.identities.replace(changed(s.identity, { environment: 'prod' }));
    return await s.ask('', { authorization: null, headers: ['X-API-Key', key] });
  }),
  credential_too_old: denied('access_denied', 'a policy of this authority does not allow it', async (s) => {
    const { facts, secretHash, log, counters } = s.deps;
    const other = await openTokenScene({ facts, secretHash, log, counters, enforcedAge: () => 1000 });
    return await other.ask('', { authorization: formatBasicCredentials('payments', s.secret) });
  }),
  policy_enforced: denied('access_denied', 'a policy of this authority does not allow it', async (s) => {
    await s.storage.policies.insert({
      id: freshId('pol'),
      name: 'keys only',
      rule: 'methods_allowed',
      parameters: { methods: ['private_key_jwt'] },
      mode: 'enforce',
      match: {},
      tests: [],
      state: 'active',
      createdAt: NOW,
      updatedAt: NOW,
      version: 1,
    });
    return await s.ask();
  }),
  dpop_proof_repeated: badProof(proving((now) => [proofOf(KEY, now), proofOf(KEY, now)])),
  dpop_proof_malformed: badProof(proving(() => ['x'])),
  dpop_proof_signature: badProof(proving((now) => [`${proofOf(KEY, now).slice(0, -8)}AAAAAAAA`])),
  dpop_proof_wrong_request: badProof(proving((now) => [proofOf(KEY, now, { htm: 'GET' })])),
  dpop_proof_outdated: badProof(proving((now) => [proofOf(KEY, now - 61)])),
  dpop_proof_replayed: badProof(proving((now) => [proofOf(KEY, now)])),
  dpop_nonce_missing: nonceNeeded({}),
  dpop_nonce_unknown: nonceNeeded({ nonce: 'x' }),
  sign_in_malformed: malformed(
    'subject_token, subject_token_type of an ID token, and nonce_verifier are needed',
    signingIn({ change: { nonce_verifier: null } }),
  ),
  sign_in_with_client_proof: malformed(
    'a person signs in without client authentication',
    signingIn({ authorization: formatBasicCredentials('countersign-cli', 'csk_x') }),
  ),
  sign_in_not_offered: notSignedIn({ issuer: { state: 'suspended' } }),
  sign_in_token_refused: notSignedIn({ claims: { aud: 'other' } }),
  sign_in_no_handle: denied(
    'access_denied',
    'the provider does not say who this is',
    signingIn({ claims: { email_verified: false } }),
  ),
  sign_in_no_role: denied(
    'access_denied',
    'no group of this person has a role here',
    signingIn({ claims: { groups: [] } }),
  ),
  sign_in_person_left: denied('access_denied', 'this person may not sign in', signingIn({ left: true })),
  network_not_allowed: denied(
    'access_denied',
    'a policy of this authority does not allow it',
    accessIs({ conditions: { networks: ['198.51.100.0/24', '2001:db8::/32'] } }),
  ),
  outside_time_window: denied(
    'access_denied',
    'a policy of this authority does not allow it',
    accessIs({
      conditions: { times: [{ days: ['sun'], from: '00:00', to: '00:01', time_zone: 'Asia/Tokyo' }] },
    }),
  ),
  binding_required: denied(
    'invalid_request',
    'the access takes only tokens that are bound to their holder',
    accessIs({ conditions: { binding: 'any' } }),
  ),
  lifetime_exhausted: denied(
    'access_denied',
    'a policy of this authority does not allow it',
    accessIs({ expiresAt: NOW + 1 }),
  ),
  token_too_large: denied('invalid_scope', 'so many scopes do not fit into one token', async (s) => {
    const scopes = scopesOf(...Array.from({ length: 150 }, (_, i) => `s${i}`.padEnd(128, 'x')));
    await s.storage.resourceServers.replace(changed(s.server, { scopes }));
    await s.storage.access.replace(changed(s.access, { scopes: scopes.map(({ name }) => name) }));
    return await s.ask();
  }),
  token_missing: malformed('token is missing', (s) => s.about('/oauth/introspect', '')),
  token_of_another_client: denied('invalid_grant', 'the token was issued to another client', async (s) => {
    const identity = identityRecord({ clientId: 'billing' });
    const { secret } = generateSecret('csk', s.deps.random);
    const digest = s.deps.secretHash.digest(secret);
    await s.storage.identities.insert(identity);
    await s.storage.credentials.insert(
      credentialRecord(identity.id, { material: { type: 'client_secret', publicId: 'y', digest } }),
    );
    const token = String(jsonOf(await s.ask())['access_token']);
    s.log.events.length = 0;
    s.counters.tokensIssued = 0;
    return await s.about('/oauth/revoke', token, formatBasicCredentials('billing', secret));
  }),
  rotation_method: denied(
    'unauthorized_client',
    'only a client with a registered key can rotate it here',
    (s) => s.about('/oauth/rotate', ''),
  ),
  new_key_missing: rotating('new_key is missing', () => ({ new_key: '' })),
  new_key_malformed: rotating('new_key is no proof of a new key', () => ({ new_key: 'a.b.c' })),
  new_key_unacceptable: rotating('the new key cannot be used here', () => ({
    new_key: newKeyProof(clientKey(), { jwk: { kty: 'EC' } }),
  })),
  new_key_unproved: rotating('new_key is not signed by the key that it shows', () => ({
    new_key: newKeyProof(clientKey(), { jwk: clientKey().jwk }),
  })),
  new_key_not_named: rotating('the client assertion does not name the new key (cnf.jkt)', () => ({
    new_key: newKeyProof(clientKey()),
  })),
  rotation_refused: denied('access_denied', 'this key is not rotated', async (s) => {
    const [present, known] = [clientKey(), clientKey()];
    await addClientKey(s, present);
    await addClientKey(s, known, { subjectKey: keySubject(known.jwk), record: { state: 'revoked' } });
    const cnf = { jkt: jwkThumbprint(known.jwk) };
    return await rotate(s, assertionOf(present, SECONDS, { cnf }), { new_key: newKeyProof(known) });
  }),
  renewal_method: denied(
    'unauthorized_client',
    'only a client that shows a certificate of this authority renews it here',
    (s) => s.about('/oauth/certificate', ''),
  ),
  claim_code_missing: malformed('code is missing', (s) => claiming(s, { csr: newRequest() })),
  claim_csr_missing: malformed('csr is missing', (s) => claiming(s, { code: 'x' })),
  claim_code_malformed: notAuthenticated((s) => claiming(s, { code: 'cdc_x', csr: 'x' })),
  claim_code_unknown: notAuthenticated((s) =>
    claiming(s, { code: generateSecret('cdc', s.deps.random).secret, csr: 'x' }),
  ),
  claim_code_used: notAuthenticated(claimingWith({ state: 'used' })),
  claim_code_revoked: notAuthenticated(claimingWith({ state: 'revoked' })),
  claim_code_expired: notAuthenticated(claimingWith({ expiresAt: NOW })),
  claim_code_void: notAuthenticated(claimingWith({ createdAt: 1 })),
  claim_refused: denied('access_denied', 'this device gets no certificate', claimingWith({}, 'none')),
  csr_missing: renewing('invalid_request', 'csr is missing', ''),
  renewal_refused: renewing('access_denied', 'this certificate is not renewed', 'none'),
  audit_unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'try again later',
    reach: async (s) => {
      s.log.mode = 'refuses';
      return await s.ask();
    },
  },
  storage_unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'try again later',
    reach: async (s) => {
      const gone = {
        byKeyId: () => undefined,
        byClientId: () => Promise.reject(new StorageError('unavailable', 'gone')),
      };
      const other = await openTokenScene({ facts: gone, counters: s.deps.counters });
      const answer = await other.ask('', { authorization: formatBasicCredentials('payments', s.secret) });
      await other.close();
      return answer;
    },
  },
};

describe('a refusal of the token endpoint', () => {
  it('has one of the reasons that this table reaches', () => {
    expect(Object.keys(TABLE).sort()).toEqual([...REFUSAL_REASONS].sort());
  });

  it.each(Object.entries(TABLE) as [RefusalReason, Expected][])('%s', async (reason, expected) => {
    const answer = await expected.reach(scene);
    expect(answer.status).toBe(expected.status);
    expect(answer.body).toBe(`{"error":"${expected.error}","error_description":"${expected.description}"}`);
    expect(answer.headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      ...(expected.status === 401 ? { 'www-authenticate': 'Basic realm="countersign"' } : {}),
      ...(expected.status === 503 ? { 'retry-after': '1' } : {}),
      ...(expected.status === 429 ? { 'retry-after': '60' } : {}),
      ...expected.headers,
    });
    // Seen inside: by the counters, and by the log wherever there is one.
    const stranger = refusalEntry(reason).stranger;
    const told = [...scene.strangers.map((each) => each.event), ...scene.log.events].map(
      (event) => event.reason,
    );
    if (expected.status === 503) expect(told).toEqual([]);
    else expect(told).toEqual([reason]);
    expect(scene.strangers.length).toBe(stranger ? 1 : 0);
    if (reason !== 'access_missing') expect([...scene.counters.refusals]).toEqual([[reason, 1]]);
    expect(scene.counters.tokensIssued).toBe(0);
    expect(scene.bugs).toEqual([]);
  });

  it('for want of a proof is the same to the byte, whatever was wrong', async () => {
    const answers = new Set<string>();
    const reasons = REFUSAL_REASONS.filter((reason) => TABLE[reason].error === 'invalid_client');
    for (const reason of reasons) {
      const fresh = await openTokenScene();
      answers.add(JSON.stringify(await TABLE[reason].reach(fresh)));
      expect(fresh.strangers[0]?.event.reason).toBe(reason);
      await fresh.close();
    }
    // A number to see at a glance would be in the way of whoever adds a reason: only that there are many.
    expect(reasons.length).toBeGreaterThan(30);
    expect(answers.size).toBe(1);
  });

  it('for want of access to a resource is the same to the byte, whether or not there is such a resource', async () => {
    await scene.storage.resourceServers.insert(resourceServerRecord({ identifier: 'https://ledger.test' }));
    const there = await scene.ask('resource=https://ledger.test');
    const nowhere = await scene.ask('resource=https://nowhere.test');
    expect(there).toEqual(nowhere);
  });

  it('has its explanation for the operator', () => {
    for (const { why, fix } of Object.values(REFUSALS)) {
      expect(why).toMatch(/^[A-Z].{10,}\.$/);
      expect(fix).toMatch(/^[A-Z].{10,}/);
    }
  });
});

describe('the one mapper', () => {
  it('knows every reason, and says nothing that is not in its table', () => {
    for (const reason of REFUSAL_REASONS) {
      const { status, error, description } = TABLE[reason];
      expect(refusalEntry(reason)).toMatchObject({ status, code: error, description });
      expect(jsonOf(errorResponse(reason))).toEqual({ error, error_description: description });
      expect(description).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
    }
  });

  it('tells nothing of a bug', () => {
    expect(serverErrorResponse()).toEqual({
      status: 500,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' },
      body: '{"error":"server_error"}',
    });
  });
});
