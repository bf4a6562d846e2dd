// The token endpoint as a function: RFC 6749 §3.2, §4.4, §5.1; RFC 8707 §2; RFC 9068 §2.
import { formatBasicCredentials } from '@countersign/protocol';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, type JWTPayload } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  changed,
  FRAUD,
  ISSUER,
  jsonOf,
  NOW,
  openTokenScene,
  type TokenScene,
} from '../../../test/token-scene.ts';
import { fakeLog } from '../../../test/fake-log.ts';
import type { HttpResponse } from '../../http/response.ts';
import { tokenLifetimeCeiling } from '../../policy/token-lifetime-ceiling.ts';
import { accessRecord, resourceServerRecord } from '../../storage/contract/records.ts';
import { clientSecretBasic } from '../client-auth/client-secret-basic.ts';
import type { Grant } from '../grants/grant.ts';
import { createIssuanceRecord } from './issuance-record.ts';
import { createTokenEndpoint } from './token.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const SECOND = Math.floor(NOW / 1000);
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

async function claimsOf(answer: HttpResponse): Promise<JWTPayload & Record<string, unknown>> {
  expect(answer.status, String(answer.body)).toBe(200);
  const keys = createLocalJWKSet(jsonOf(await scene.call('/oauth/jwks')) as JSONWebKeySet);
  const { payload, protectedHeader } = await jwtVerify(jsonOf(answer).access_token as string, keys, {
    issuer: ISSUER,
    typ: 'at+jwt',
    currentDate: new Date(NOW),
  });
  expect(Object.keys(protectedHeader).sort()).toEqual(['alg', 'kid', 'typ']);
  return payload;
}

describe('a client that proves itself', () => {
  it('gets a token that others can verify, with the claims of RFC 9068 and nothing else', async () => {
    const answer = await scene.ask();
    const claims = await claimsOf(answer);
    expect(claims).toEqual({
      iss: ISSUER,
      aud: FRAUD,
      sub: 'payments',
      client_id: 'payments',
      scope: 'fraud:read fraud:write',
      iat: SECOND,
      exp: SECOND + 600,
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      crd: scene.credential.id,
      acs: scene.access.id,
    });
    expect(jsonOf(answer)).toEqual({
      access_token: jsonOf(answer).access_token,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'fraud:read fraud:write',
    });
    expect(answer.headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
    });
    expect([scene.counters.tokensIssued, scene.counters.refusals.size]).toEqual([1, 0]);
  });

  it('gets it by the body as by the header', async () => {
    const post = `client_id=payments&client_secret=${scene.secret}`;
    await claimsOf(await scene.ask(post, { authorization: null }));
    expect(scene.log.events.at(-1)?.method).toBe('client_secret_post');
    await claimsOf(await scene.ask('client_id=payments'));
    expect(scene.log.events.at(-1)?.method).toBe('client_secret_basic');
  });

  it('gets it with any spelling of the media type that means the same', async () => {
    for (const contentType of [
      'application/x-www-form-urlencoded; charset=UTF-8',
      'Application/X-WWW-Form-Urlencoded;charset="utf-8"',
    ]) {
      expect((await scene.ask('', { contentType })).status).toBe(200);
    }
    for (const contentType of ['application/x-www-form-urlencoded; charset=latin1', 'text/plain', '', null]) {
      expect((await scene.ask('', { contentType })).status).toBe(415);
    }
    const twice = { headers: ['content-type', 'application/x-www-form-urlencoded'] };
    expect((await scene.ask('', twice)).status).toBe(415);
  });

  it('gets the scopes that it asks for and holds, and is told which', async () => {
    const answer = await scene.ask('scope=fraud:write+fraud:admin');
    expect(jsonOf(answer).scope).toBe('fraud:write');
    expect((await claimsOf(answer))['scope']).toBe('fraud:write');
    expect(jsonOf(await scene.ask('scope=fraud:write+fraud:read')).scope).toBe('fraud:write fraud:read');
    expect(jsonOf(await scene.ask('scope=')).scope).toBe('fraud:read fraud:write');
  });

  it('gets one token for one resource, that which it names', async () => {
    const ledger = resourceServerRecord({
      identifier: 'https://ledger.test/a"b',
      token: { format: 'jwt', lifetime: 90, signingAlg: 'ES256', typ: 'at+jwt' },
    });
    await scene.storage.resourceServers.insert(ledger);
    const access = accessRecord(scene.identity.id, ledger.id);
    await scene.storage.access.insert(access);
    expect(await claimsOf(await scene.ask(`resource=${FRAUD}`))).toMatchObject({ aud: FRAUD });
    // A quote is no character of a URI: it is written with care all the same.
    expect((await scene.ask('resource=https://ledger.test/a%22b')).status).toBe(400);
    await scene.storage.access.replace(changed(scene.access, { state: 'revoked' as const }));
    const answer = await scene.ask();
    expect(await claimsOf(answer)).toMatchObject({
      aud: ledger.identifier,
      acs: access.id,
      exp: SECOND + 90,
    });
    expect(jsonOf(answer).expires_in).toBe(90);
  });

  it('gets a token that does not outlive what it stands on', async () => {
    await scene.storage.access.replace(changed(scene.access, { expiresAt: NOW + 30_000, tokenLifetime: 45 }));
    expect(jsonOf(await scene.ask()).expires_in).toBe(30);
  });

  it('gets another token each time, also within one instant', async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, () => scene.ask()));
    const jtis = answers.map((answer) => {
      const [, payload] = (jsonOf(answer).access_token as string).split('.');
      return (JSON.parse(Buffer.from(payload as string, 'base64url').toString()) as { jti: string }).jti;
    });
    expect(new Set(jtis).size).toBe(500);
    expect(new Set(scene.log.events.map((event) => event.id))).toEqual(new Set(jtis));
  });

  it('is not taken for another because a form was seen before', async () => {
    for (let i = 0; i < 3; i++) expect((await scene.ask('scope=fraud:read')).status).toBe(200);
    const wrong = formatBasicCredentials('payments', 'x');
    expect((await scene.ask('scope=fraud:read', { authorization: wrong })).status).toBe(401);
    expect((await scene.ask('scope=fraud:read', { authorization: null })).status).toBe(401);
  });
});

describe('the audit record of a token', () => {
  it('says who got what by what, and where from', async () => {
    const headers = ['Countersign-Instance', 'boot-7'];
    const claims = await claimsOf(await scene.ask('scope=fraud:read+made-up', { headers }));
    expect(scene.log.events).toEqual([
      {
        id: claims.jti,
        at: new Date(NOW).toISOString(),
        type: 'token.issued',
        outcome: 'success',
        request_id: 'req_1',
        identity: 'payments',
        credential: scene.credential.id,
        access: scene.access.id,
        resource: FRAUD,
        scopes_asked: 'fraud:read made-up',
        scopes_held: 'fraud:read',
        jti: claims.jti,
        lifetime: 600,
        method: 'client_secret_basic',
        source: '192.0.2.7',
        instance: 'boot-7',
        node: 'n1',
      },
    ]);
  });

  it('is there before the token leaves: while the log has not answered, nobody has', async () => {
    scene.log.mode = 'never answers';
    let answered = false;
    void scene.ask().then(() => (answered = true));
    await settle();
    expect([answered, scene.counters.tokensIssued]).toEqual([false, 0]);
  });

  it('is a condition: a log that refuses gives 503 and no token, and gives tokens again when it takes', async () => {
    scene.log.mode = 'refuses';
    const answer = await scene.ask();
    expect(answer.status).toBe(503);
    expect(String(answer.body)).not.toContain('access_token');
    expect(scene.counters.tokensIssued).toBe(0);
    scene.log.mode = 'takes';
    expect((await scene.ask()).status).toBe(200);
  });

  it('is no condition of a refusal', async () => {
    scene.log.mode = 'refuses';
    expect((await scene.ask('scope=fraud:admin')).status).toBe(400);
    expect((await scene.ask('', { authorization: null })).status).toBe(401);
  });

  it('tells of a refused client what is known of it, and of strangers only what they may have meant', async () => {
    await scene.ask(`scope=fraud:admin+SECRET123&resource=${FRAUD}`);
    expect(scene.log.events[0]).toMatchObject({
      type: 'token.refused',
      outcome: 'refused',
      reason: 'scope_not_held',
      identity: 'payments',
      credential: scene.credential.id,
      resource: FRAUD,
      scopes_asked: expect.stringMatching(/^fraud:admin ~[0-9a-f]{12}$/),
    });
    const secretAsId = formatBasicCredentials(scene.secret, 'payments');
    await scene.ask('', { authorization: secretAsId });
    await scene.ask('', { authorization: formatBasicCredentials('payments', 'x') });
    await scene.ask('', {
      body: `grant_type=x&client_id=${'C'.repeat(9000)}&client_secret=x`,
      authorization: null,
    });
    const [unknown, mismatch, stranger] = scene.strangers;
    expect(unknown).toMatchObject({ claimed: undefined, event: { identity: expect.stringMatching(/^~/) } });
    expect(mismatch).toMatchObject({ claimed: 'payments', event: { identity: 'payments' } });
    expect(stranger).toMatchObject({ claimed: undefined, event: { identity: expect.stringMatching(/^~/) } });
    expect(JSON.stringify(scene.strangers)).not.toContain(scene.secret);
  });
});

describe('what changes while a client asks', () => {
  it('counts from the very next request on', async () => {
    expect((await scene.ask()).status).toBe(200);
    await scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' as const }));
    expect((await scene.ask()).status).toBe(401);
    expect(scene.strangers.at(-1)?.event.reason).toBe('identity_suspended');
  });

  /** A request that is being signed, at the moment when it is: `change` is made, and the signature comes after it. */
  async function whileSigned(change: () => Promise<void>): Promise<HttpResponse> {
    await scene.ask();
    const { keystore } = scene.deps;
    const sign = keystore.sign.bind(keystore);
    vi.spyOn(keystore, 'sign').mockImplementationOnce(async (...asked) => {
      await change();
      return await sign(...asked);
    });
    return await scene.ask();
  }
  const issued = (): number => scene.log.events.filter((event) => event.type === 'token.issued').length;

  it.each<[string, string, () => Promise<void>]>([
    [
      'identity_suspended',
      'invalid_client',
      () => scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' as const })),
    ],
    [
      'credential_revoked',
      'invalid_client',
      () => scene.storage.credentials.replace(changed(scene.credential, { state: 'revoked' as const })),
    ],
    [
      'resource_unknown',
      'invalid_target',
      () => scene.storage.access.replace(changed(scene.access, { state: 'revoked' as const })),
    ],
    [
      'access_missing',
      'invalid_target',
      () => scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read'] })),
    ],
    [
      'access_missing',
      'invalid_target',
      () =>
        scene.storage.resourceServers.replace(
          changed(scene.server, { scopes: scene.server.scopes.slice(0, 1) }),
        ),
    ],
    [
      'resource_unknown',
      'invalid_target',
      () => scene.storage.resourceServers.replace(changed(scene.server, { state: 'deleted' as const })),
    ],
  ])('counts for a token that is being signed: %s', async (reason, error, change) => {
    const answer = await whileSigned(change);
    expect(jsonOf(answer).error).toBe(error);
    expect([...scene.counters.refusals]).toEqual([[reason, 1]]);
    expect([issued(), scene.counters.tokensIssued]).toEqual([1, 1]);
  });

  it('does not count for a token that it does not concern', async () => {
    const answer = await whileSigned(async () => {
      await scene.storage.resourceServers.insert(resourceServerRecord());
      await scene.storage.resourceServers.replace(changed(scene.server, { name: 'Another name' }));
    });
    expect(answer.status).toBe(200);
    expect(issued()).toBe(2);
  });

  it('does not give a token of a later second to a request that was already on its way', async () => {
    const answer = await whileSigned(async () => scene.clock.set(NOW + 5000));
    // A cut-off ordered meanwhile covers the token: its `iat` is of before.
    expect((await claimsOf(answer)).iat).toBe(SECOND);
  });

  it('takes scopes from the next token when the resource server gives them up', async () => {
    await scene.ask();
    const scopes = scene.server.scopes.filter((scope) => scope.name === 'fraud:read');
    await scene.storage.resourceServers.replace(changed(scene.server, { scopes }));
    expect(jsonOf(await scene.ask()).scope).toBe('fraud:read');
  });
});

describe('a bug of ours', () => {
  function endpointWith(grant: Grant): (name: string) => Promise<HttpResponse> {
    const { deps } = scene;
    const endpoint = createTokenEndpoint({
      ...deps,
      methods: [clientSecretBasic(deps.secretHash)],
      grants: new Map([[grant.type, grant]]),
      constraints: [],
      rules: [tokenLifetimeCeiling],
      record: createIssuanceRecord({ ...deps, log: fakeLog() }),
      ownTokens: { issued: () => undefined },
    });
    return (grantType) =>
      endpoint(
        {
          method: 'POST',
          path: '/oauth/token',
          query: '',
          body: Buffer.from(`grant_type=${grantType}`),
          rawHeaders: [
            'Content-Type',
            'application/x-www-form-urlencoded',
            'Authorization',
            formatBasicCredentials('payments', scene.secret),
          ],
          id: 'req_9',
          source: '192.0.2.7',
        },
        {},
      );
  }

  it('is told to the operator and not to the caller', async () => {
    const bug = new TypeError('secret is not a function');
    const ask = endpointWith({
      type: 'broken',
      authorize: () => {
        throw bug;
      },
    });
    const answer = await ask('broken');
    expect([answer.status, answer.body]).toEqual([500, '{"error":"server_error"}']);
    expect(scene.bugs).toEqual([bug]);
    const later = endpointWith({ type: 'broken', authorize: () => Promise.reject(bug) });
    expect((await later('broken')).status).toBe(500);
  });

  it('is not what an unknown grant is, though its name be one of JavaScript', async () => {
    const ask = endpointWith({ type: 'x', authorize: () => ({ resource: undefined, scopes: undefined }) });
    for (const name of ['constructor', '__proto__', 'toString', 'X', 'x%00']) {
      expect((await ask(name)).status, name).toBe(400);
    }
    expect((await ask('x')).status).toBe(200);
    expect(scene.bugs).toEqual([]);
  });
});
