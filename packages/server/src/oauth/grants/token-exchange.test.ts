// Token exchange (RFC 8693) as an endpoint: who acts for whom, and never for more.
import { TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../../../test/client-certificate.ts';
import { proofKey, proofOf } from '../../../test/dpop-proof.ts';
import {
  addExchange,
  addParty,
  claimsOf,
  type ExchangeScene,
  LEDGER,
  TOKEN,
} from '../../../test/exchange-scene.ts';
import {
  changed,
  FRAUD,
  ISSUER,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import { orderCutoff } from '../../cutoff/order.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { accessRecord, freshId, resourceServerRecord, T0 } from '../../storage/contract/records.ts';

let scene: TokenScene;
let exch: ExchangeScene;
let subject: string;
beforeEach(async () => {
  scene = await openTokenScene();
  exch = await addExchange(scene);
  subject = await exch.subjectToken();
});
afterEach(() => scene.close());

const exchanged = async (...args: Parameters<ExchangeScene['exchange']>): Promise<string> =>
  String(jsonOf(await exch.exchange(...args))['access_token']);
const introspect = async (token: string) =>
  jsonOf(await scene.about('/oauth/introspect', token, exch.api.authorization));

/** By which `fraud-api` stands for fraud. */
async function standingAccess(): Promise<AccessRecord> {
  const { items } = await scene.storage.access.list(
    { identityId: exch.api.identity.id, resourceServerId: exch.fraud.id },
    { limit: 10 },
  );
  const [access] = items;
  if (access === undefined) throw new Error('gone');
  return access;
}

describe('an exchange', () => {
  it('gives a token in the name of the subject, with the client as who acts', async () => {
    const answer = await exch.exchange(subject);
    expect(jsonOf(answer)).toEqual({
      access_token: expect.any(String),
      issued_token_type: TOKEN,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'ledger:read',
    });
    const from = claimsOf(subject);
    expect(claimsOf(jsonOf(answer).access_token)).toMatchObject({
      iss: ISSUER,
      sub: 'payments',
      client_id: 'fraud-api',
      aud: LEDGER,
      act: { sub: 'fraud-api' },
      via: [{ jti: from.jti, crd: scene.credential.id, aud: FRAUD, scope: 'fraud:read fraud:write' }],
      crd: exch.api.credential.id,
      acs: exch.access.actor.id,
    });
  });

  it('is in the log with who acts for whom and what it was made from', async () => {
    await exch.exchange(subject);
    const [event] = scene.log.events;
    expect(event).toMatchObject({ type: 'token.issued', identity: 'fraud-api', resource: LEDGER });
    expect(JSON.parse(event?.detail ?? '')).toEqual({
      act: { sub: 'fraud-api' },
      exchanged: [claimsOf(subject).jti],
      sub: 'payments',
    });
  });

  it('takes the target as resource, as audience, or as both when they agree', async () => {
    for (const change of [{}, { resource: undefined, audience: LEDGER }, { audience: LEDGER }])
      expect(claimsOf(await exchanged(subject, change)).aud).toBe(LEDGER);
  });

  it('takes and gives a JWT by that name, which is what the token is', async () => {
    const answer = await exch.exchange(subject, {
      subject_token_type: TOKEN_TYPE.jwt,
      requested_token_type: TOKEN_TYPE.jwt,
    });
    expect(jsonOf(answer)).toMatchObject({ issued_token_type: TOKEN_TYPE.jwt, token_type: 'Bearer' });
  });

  it('takes an actor token that says who the client is anyway, and ends with it', async () => {
    scene.clock.set(NOW - 300_000);
    const own = jsonOf(await scene.ask(`resource=${LEDGER}`, { authorization: exch.api.authorization }));
    scene.clock.set(NOW);
    const answer = await exch.exchange(subject, { actor_token: own.access_token, actor_token_type: TOKEN });
    expect(jsonOf(answer)).toMatchObject({ expires_in: 300 });
  });

  it('in a row has every actor, the current one outermost, and ends with the first', async () => {
    const ledgerApi = await addParty(scene, 'ledger-api');
    const vault = resourceServerRecord({ identifier: 'https://vault.test', scopes: exch.ledger.scopes });
    await scene.storage.resourceServers.insert(vault);
    const scopes = [...exch.ledger.scopes, { name: 'tokens:exchange', description: 'x', sensitivity: 1 }];
    await scene.storage.resourceServers.replace(changed(exch.ledger, { scopes }));
    const give = (id: string, to: string, held: string[]) =>
      scene.storage.access.insert(accessRecord(id, to, { scopes: held }));
    await give(ledgerApi.identity.id, exch.ledger.id, ['tokens:exchange']);
    await give(ledgerApi.identity.id, vault.id, ['ledger:read', 'ledger:write']);
    await give(scene.identity.id, vault.id, ['ledger:read']);

    scene.clock.set(NOW + 100_000);
    const second = await exchanged(subject);
    scene.clock.set(NOW + 200_000);
    const third = await exch.exchange(
      second,
      { resource: vault.identifier },
      { as: ledgerApi.authorization },
    );
    expect(jsonOf(third)).toMatchObject({ scope: 'ledger:read', expires_in: 400 });
    const claims = claimsOf(jsonOf(third).access_token);
    expect(claims).toMatchObject({
      sub: 'payments',
      client_id: 'ledger-api',
      act: { sub: 'ledger-api', act: { sub: 'fraud-api' } },
      exp: claimsOf(subject).exp,
    });
    expect(claims.via.map((each: { jti: string }) => each.jti)).toEqual([
      claimsOf(second).jti,
      claimsOf(subject).jti,
    ]);
    const told = jsonOf(
      await scene.about('/oauth/introspect', jsonOf(third).access_token, ledgerApi.authorization),
    );
    expect(told).toMatchObject({ active: true, sub: 'payments', scope: 'ledger:read' });
  });
});

describe('never wider than its subject', () => {
  it('in life, however often it is exchanged', async () => {
    scene.clock.set(NOW + 590_000);
    expect(jsonOf(await exch.exchange(subject))).toMatchObject({ expires_in: 10 });
    scene.clock.set(NOW + 600_000);
    expect(jsonOf(await exch.exchange(subject))).toMatchObject({ error: 'invalid_request' });
  });

  it.each(['ledger:write', 'ledger:close'])(
    'in scope: not %s, which only one of both holds',
    async (scope) => {
      expect(jsonOf(await exch.exchange(subject, { scope }))).toMatchObject({ error: 'invalid_scope' });
      expect(jsonOf(await exch.exchange(subject, { scope: `ledger:read ${scope}` }))).toMatchObject({
        scope: 'ledger:read',
      });
    },
  );

  describe('nor than its subject would get there itself', () => {
    const changeSubject = (change: Partial<AccessRecord>): Promise<void> =>
      scene.storage.access.replace(changed(exch.access.subject, change));

    it('in life: not past the end of its access', async () => {
      await changeSubject({ expiresAt: NOW + 30_000 });
      expect(jsonOf(await exch.exchange(subject))).toMatchObject({ expires_in: 30 });
    });

    it('in life: no longer than its access says', async () => {
      await changeSubject({ tokenLifetime: 60 });
      expect(jsonOf(await exch.exchange(subject))).toMatchObject({ expires_in: 60 });
    });

    it.each<[string, AccessRecord['conditions'], string]>([
      ['from elsewhere', { networks: ['198.51.100.0/24'] }, 'network_not_allowed'],
      [
        'at another time',
        { times: [{ days: ['mon'], from: '03:00', to: '03:01', time_zone: 'UTC' }] },
        'outside_time_window',
      ],
      ['unbound', { binding: 'any' }, 'binding_required'],
    ])('not %s, where its access wants otherwise', async (_what, conditions, reason) => {
      await changeSubject({ conditions });
      expect((await exch.exchange(subject)).status).not.toBe(200);
      const [event] = scene.log.events;
      expect(event).toMatchObject({ type: 'token.refused', identity: 'fraud-api', reason });
      expect(JSON.parse(event?.detail ?? '')).toMatchObject({
        sub: 'payments',
        subject_access: exch.access.subject.id,
      });
    });

    it('and it is given where the conditions hold for who asks in its name', async () => {
      await changeSubject({ conditions: { networks: ['192.0.2.0/24'] } });
      const request = { source: '192.0.2.7' };
      expect((await exch.exchange(subject, {}, { request })).status).toBe(200);
    });
  });

  describe('nor by an access whose conditions do not hold, with which its client stands for the API', () => {
    const standing = async (conditions: AccessRecord['conditions']): Promise<AccessRecord> => {
      const access = await standingAccess();
      await scene.storage.access.replace(changed(access, { conditions }));
      return access;
    };

    it.each<[string, AccessRecord['conditions'], string]>([
      ['from elsewhere', { networks: ['198.51.100.0/24'] }, 'network_not_allowed'],
      [
        'at another time',
        { times: [{ days: ['mon'], from: '03:00', to: '03:01', time_zone: 'UTC' }] },
        'outside_time_window',
      ],
      ['unbound', { binding: 'any' }, 'binding_required'],
    ])('%s', async (_what, conditions, reason) => {
      const access = await standing(conditions);
      expect((await exch.exchange(subject)).status).not.toBe(200);
      const [event] = scene.log.events;
      expect(event).toMatchObject({ type: 'token.refused', identity: 'fraud-api', reason });
      expect(JSON.parse(event?.detail ?? '')).toMatchObject({ standing_access: access.id });
    });

    it('nor while an enforced policy refuses that access its scope', async () => {
      const scopes = exch.fraud.scopes.map((scope) =>
        scope.name === 'tokens:exchange' ? { ...scope, sensitivity: 3 } : scope,
      );
      await scene.storage.resourceServers.replace(changed(exch.fraud, { scopes }));
      expect((await exch.exchange(subject)).status).toBe(200);
      await scene.storage.policies.insert({
        id: freshId('pol'),
        name: 'bound',
        rule: 'binding_for_sensitive_scopes',
        parameters: { min_sensitivity: 3 },
        mode: 'enforce',
        match: {},
        tests: [],
        state: 'active',
        createdAt: T0,
        updatedAt: T0,
        version: 1,
      });
      const refused = await exch.exchange(subject);
      expect([refused.status, jsonOf(refused).error]).toEqual([400, 'access_denied']);
      const event = scene.log.events.at(-1);
      expect(event).toMatchObject({ type: 'token.refused', reason: 'policy_enforced' });
      const { id } = await standingAccess();
      expect(JSON.parse(event?.detail ?? '')).toMatchObject({ policy: 'bound', standing_access: id });
    });

    it('and from there it is exchanged', async () => {
      await standing({ networks: ['198.51.100.0/24'] });
      const request = { source: '198.51.100.7' };
      expect((await exch.exchange(subject, {}, { request })).status).toBe(200);
    });
  });

  it('at the same API opens no more than the token did', async () => {
    const narrow = await exch.subjectToken('&scope=fraud:read');
    const both = ['fraud:read', 'fraud:write', 'tokens:exchange'];
    const { items } = await scene.storage.access.list(
      { identityId: exch.api.identity.id, resourceServerId: exch.fraud.id },
      { limit: 10 },
    );
    for (const access of items) await scene.storage.access.replace(changed(access, { scopes: both }));
    expect(jsonOf(await exch.exchange(narrow, { resource: FRAUD }))).toMatchObject({ scope: 'fraud:read' });
    expect(jsonOf(await exch.exchange(narrow, { resource: FRAUD, scope: 'fraud:write' }))).toMatchObject({
      error: 'invalid_scope',
    });
  });
});

describe('a token that was exchanged is dead', () => {
  const order = (kind: 'identity' | 'credential' | 'token', target: string) =>
    scene.storage.transaction((stores) =>
      orderCutoff(scene.deps, stores, { kind, target, reason: 'leak', orderedBy: 'admin' }),
    );

  it.each<[string, () => Promise<unknown>]>([
    ['what it was exchanged for is cut off', () => order('token', claimsOf(subject).jti)],
    ['the credential of its subject is cut off', () => order('credential', scene.credential.id)],
    ['its subject is cut off', () => order('identity', 'payments')],
    ['its actor is cut off', () => order('identity', 'fraud-api')],
    [
      'its subject is suspended',
      () => scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' })),
    ],
    [
      'the credential of its subject is revoked',
      () => scene.storage.credentials.replace(changed(scene.credential, { state: 'revoked' })),
    ],
    [
      'its subject loses the access',
      () => scene.storage.access.replace(changed(exch.access.subject, { state: 'revoked' })),
    ],
    [
      'its actor loses the access',
      () => scene.storage.access.replace(changed(exch.access.actor, { state: 'revoked' })),
    ],
  ])('when %s', async (_what, end) => {
    const token = await exchanged(subject);
    expect(await introspect(token)).toMatchObject({ active: true, act: { sub: 'fraud-api' } });
    await end();
    expect(await introspect(token)).toEqual({ active: false });
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      'the subject is suspended',
      () => scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' })),
      'subject_token_dead',
    ],
    [
      'the subject is to have shorter ones',
      () => scene.storage.access.replace(changed(exch.access.subject, { tokenLifetime: 60 })),
      'policy_enforced',
    ],
    [
      'its client stands for the API only from elsewhere',
      async () => {
        const conditions = { networks: ['198.51.100.0/24'] };
        await scene.storage.access.replace(changed(await standingAccess(), { conditions }));
      },
      'network_not_allowed',
    ],
    [
      'its client no longer stands for the API',
      async () => scene.storage.access.replace(changed(await standingAccess(), { state: 'revoked' })),
      'subject_token_not_for_client',
    ],
  ])('and not issued when %s while it is signed', async (_what, change, reason) => {
    const { sign } = scene.deps.keystore;
    const slow: TokenScene['deps']['keystore'] = {
      ...scene.deps.keystore,
      sign: async (...args) => {
        await change();
        return await sign.apply(scene.deps.keystore, args);
      },
      verificationKey: (kid) => scene.deps.keystore.verificationKey(kid),
      jwks: () => scene.deps.keystore.jwks(),
    };
    const { facts, secretHash, log, ledger } = scene.deps;
    const other = await openTokenScene({ facts, secretHash, log, ledger, keystore: slow });
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subject,
      subject_token_type: TOKEN,
      resource: LEDGER,
    });
    const answer = await other.ask('', { authorization: exch.api.authorization, body: form.toString() });
    expect(answer.status).not.toBe(200);
    expect(scene.log.events.map((event) => event.reason)).toEqual([reason]);
    await other.close();
  });
});

describe('bound tokens', () => {
  const key = proofKey();
  const proof = (of = key): readonly string[] => ['dpop', proofOf(of, Math.floor(NOW / 1000))];
  let bound: string;
  beforeEach(async () => {
    await scene.close();
    scene = await openTokenScene({ dpop: { nonceKey: undefined } });
    exch = await addExchange(scene);
    subject = await exch.subjectToken();
    bound = String(jsonOf(await scene.ask(`resource=${FRAUD}`, { headers: proof() }))['access_token']);
    scene.log.events.length = 0;
  });

  it('are what comes of an exchange with a proof (RFC 9449 §5)', async () => {
    const answer = jsonOf(await exch.exchange(subject, {}, { headers: proof() }));
    expect(answer).toMatchObject({ token_type: 'DPoP' });
    expect(claimsOf(answer.access_token)).toMatchObject({ cnf: { jkt: key.jkt }, act: { sub: 'fraud-api' } });
  });

  it('are what comes of one for a subject whose access there wants that', async () => {
    const conditions = { binding: 'dpop' as const };
    await scene.storage.access.replace(changed(exch.access.subject, { conditions }));
    expect(jsonOf(await exch.exchange(subject))).toMatchObject({ error: 'invalid_request' });
    expect((await exch.exchange(subject, {}, { headers: proof() })).status).toBe(200);
  });

  it('are what comes of one by an access that wants that of who stands for the API', async () => {
    const conditions = { binding: 'dpop' as const };
    await scene.storage.access.replace(changed(await standingAccess(), { conditions }));
    expect(jsonOf(await exch.exchange(subject))).toMatchObject({ error: 'invalid_request' });
    expect((await exch.exchange(subject, {}, { headers: proof() })).status).toBe(200);
  });

  it.each<[string, () => readonly string[]]>([
    ['without a proof', () => []],
    ['with the proof of another key', () => proof(proofKey())],
  ])('are not exchanged %s', async (_what, headers) => {
    expect(jsonOf(await exch.exchange(bound, {}, { headers: headers() }))).toMatchObject({
      error: 'invalid_request',
    });
    expect(scene.log.events.map(({ reason }) => reason)).toEqual(['subject_token_bound']);
  });

  it('are exchanged by who holds the key', async () => {
    const answer = jsonOf(await exch.exchange(bound, {}, { headers: proof() }));
    expect(claimsOf(answer.access_token)).toMatchObject({ sub: 'payments', cnf: { jkt: key.jkt } });
  });
});

describe('tokens bound to a certificate (RFC 8705 §3)', () => {
  const [own, other] = [testCertificate(), testCertificate()];
  const showing = ({ der }: { readonly der: Uint8Array }) =>
    ({ request: { clientCertificate: { chain: [der], source: 'tls' } } }) as const;
  const ledgerWants = (senderConstraint: 'none' | 'mtls'): Promise<void> =>
    scene.storage.resourceServers.replace(changed(exch.ledger, { senderConstraint }));
  let bound: string;
  beforeEach(async () => {
    await scene.close();
    scene = await openTokenScene({ clientCertificates: true });
    exch = await addExchange(scene);
    subject = await exch.subjectToken();
    await scene.storage.resourceServers.replace(changed(exch.fraud, { senderConstraint: 'mtls' }));
    bound = String(jsonOf(await scene.ask(`resource=${FRAUD}`, showing(own)))['access_token']);
    scene.log.events.length = 0;
  });

  it('are exchanged by who shows the certificate, for one that is bound to it as well', async () => {
    await ledgerWants('mtls');
    const answer = jsonOf(await exch.exchange(bound, {}, showing(own)));
    expect(claimsOf(answer.access_token)).toMatchObject({
      sub: 'payments',
      cnf: { 'x5t#S256': own.thumbprint },
    });
  });

  it.each<[string, 'none' | 'mtls', object, string]>([
    ['with another certificate', 'mtls', showing(other), 'subject_token_bound'],
    ['without one', 'mtls', {}, 'sender_constraint_missing'],
    ['for a token that would be bound to nothing, whoever asks', 'none', showing(own), 'subject_token_bound'],
    ['without one, for a token that would be bound to nothing', 'none', {}, 'subject_token_bound'],
  ])('are not exchanged %s', async (_what, wanted, ask, reason) => {
    await ledgerWants(wanted);
    expect(jsonOf(await exch.exchange(bound, {}, ask))).toMatchObject({ error: 'invalid_request' });
    expect(scene.log.events.map((event) => event.reason)).toEqual([reason]);
  });

  it('are what comes of one that was not bound, where the next API wants them', async () => {
    await ledgerWants('mtls');
    const answer = jsonOf(await exch.exchange(subject, {}, showing(other)));
    expect(claimsOf(answer.access_token)).toMatchObject({ cnf: { 'x5t#S256': other.thumbprint } });
  });
});
