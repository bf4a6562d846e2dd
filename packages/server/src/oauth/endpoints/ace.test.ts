// A token request in CBOR (RFC 9200 §5.8), a token in CBOR (RFC 8392) and the key that goes with it (RFC 9202 §3.3.1).
import { createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import {
  ACE,
  type CborMap,
  type CborValue,
  decodeStrict,
  derivePopKey,
  encodeCbor,
  readCose,
  readCwtClaims,
  verifySign1,
} from '@countersign/cose';
import { formatBasicCredentials } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import type { HttpResponse } from '../../http/response.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const SECOND = Math.floor(NOW / 1000);

async function turnToCwt(): Promise<void> {
  const scopes = [...scene.server.scopes, { name: 'tokens:derive', description: '', sensitivity: 1 }];
  const token = { ...scene.server.token, format: 'cwt' as const };
  await scene.storage.resourceServers.replace(changed(scene.server, { token, scopes }));
}

function askInCbor(
  more: readonly (readonly [number, CborValue])[] = [],
  authorization: string | null = null,
): Promise<HttpResponse> {
  const credentials: [number, CborValue][] =
    authorization === null
      ? [
          [ACE.clientId, 'payments'],
          [ACE.clientSecret, Buffer.from(scene.secret)],
        ]
      : [];
  const body = encodeCbor(new Map<number, CborValue>([...credentials, ...more]));
  return scene.ask('', { authorization, contentType: 'application/ace+cbor', body });
}

function cborOf(answer: HttpResponse): CborMap {
  expect(answer.headers['content-type']).toBe('application/ace+cbor');
  expect(answer.headers['cache-control']).toBe('no-store');
  const read = decodeStrict(answer.body as Uint8Array, { maxBytes: 4096, maxDepth: 6 });
  if (!read.ok) throw new Error(read.fault);
  return read.value as CborMap;
}

function claimsOf(answer: CborMap): object {
  const cose = readCose(answer.get(ACE.accessToken) as Uint8Array);
  const read = cose.ok ? readCwtClaims(cose.message.body) : undefined;
  if (read?.ok !== true) throw new Error('the token cannot be read');
  return read.claims;
}

async function errorOf(answer: Promise<HttpResponse>): Promise<[number, CborValue | undefined]> {
  const { status } = await answer;
  return [status, cborOf(await answer).get(ACE.error)];
}

describe('a device that asks in CBOR', () => {
  beforeEach(turnToCwt);

  it('gets a token that others can verify, and a key that is not in it', async () => {
    const answer = await askInCbor([
      [ACE.audience, FRAUD],
      [ACE.scope, 'fraud:read'],
      [ACE.grantType, 2],
    ]);
    // RFC 9200 §5.8.2: 2.01 (Created), which RFC 8075 §7 writes 201.
    expect(answer.status).toBe(201);
    const map = cborOf(answer);
    expect([map.get(ACE.tokenType), map.get(ACE.aceProfile), map.get(ACE.expiresIn)]).toEqual([2, 1, 600]);
    expect(map.get(ACE.scope)).toBe('fraud:read');
    const token = map.get(ACE.accessToken) as Uint8Array;
    const cose = readCose(token);
    if (!cose.ok) throw new Error(cose.fault);
    const kid = Buffer.from(cose.message.protected.get(4) as Uint8Array).toString();
    const { keys } = jsonOf(await scene.call('/oauth/jwks'));
    const jwk = keys.find((each: { kid: string }) => each.kid === kid);
    const key = createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput);
    expect(verifySign1(cose.message, { alg: -7, key })).toBe(true);
    const read = readCwtClaims(cose.message.body);
    if (!read.ok) throw new Error(read.fault);
    expect(read.claims).toMatchObject({
      iss: ISSUER,
      sub: 'payments',
      aud: FRAUD,
      iat: SECOND,
      exp: SECOND + 600,
      scope: 'fraud:read',
      crd: scene.credential.id,
      acs: scene.access.id,
    });
    const cnf = (map.get(ACE.cnf) as CborMap).get(1) as CborMap;
    expect(cnf.get(2)).toEqual(read.claims.kid);
    const secret = cnf.get(-1) as Uint8Array;
    expect(secret.length).toBe(32);
    expect(Buffer.from(token).includes(Buffer.from(secret))).toBe(false);
    expect((map.get(ACE.rsCnf) as CborMap).get(1)).toEqual(
      new Map<number, CborValue>([
        [1, 4],
        [2, read.claims.kid],
      ]),
    );
  });

  it('leaves the same record as for any token', async () => {
    const answer = await askInCbor([[ACE.audience, FRAUD]]);
    const token = cborOf(answer).get(ACE.accessToken) as Uint8Array;
    const cose = readCose(token);
    const read = cose.ok ? readCwtClaims(cose.message.body) : undefined;
    const jti = read?.ok === true ? Buffer.from(read.claims.cti).toString('base64url') : '';
    expect(scene.log.events).toMatchObject([
      {
        type: 'token.issued',
        id: jti,
        jti,
        identity: 'payments',
        resource: FRAUD,
        scopes_held: 'fraud:read fraud:write',
      },
    ]);
    scene.log.mode = 'refuses';
    const refused = await askInCbor();
    expect(refused.status).toBe(503);
    expect(cborOf(refused).has(ACE.error)).toBe(false);
  });

  it('may prove itself in a header, and need not say what it has access to', async () => {
    const answer = await askInCbor([], formatBasicCredentials('payments', scene.secret));
    expect(answer.status).toBe(201);
  });

  it('may write its request in any encoding, as small libraries do without lengths (RFC 8949 §4.1)', async () => {
    const scope = Buffer.from('fraud:read').toString('hex');
    const body = Buffer.from(`bf1900096a${scope}1821190002ff`, 'hex');
    const answer = await scene.ask('', { contentType: 'application/ace+cbor', body });
    expect([answer.status, cborOf(answer).get(ACE.scope)]).toEqual([201, 'fraud:read']);
  });

  it('renews its rights for the key that it has, whose name is the same then and whose bytes are', async () => {
    const first = cborOf(await askInCbor([[ACE.scope, 'fraud:read fraud:write']]));
    const key = (first.get(ACE.cnf) as CborMap).get(1) as CborMap;
    const kid = key.get(2) as Uint8Array;
    const named = [
      new Map([[3, kid]]),
      new Map([
        [
          1,
          new Map<number, CborValue>([
            [1, 4],
            [2, kid],
          ]),
        ],
      ]),
    ];
    for (const reqCnf of named) {
      const next = cborOf(
        await askInCbor([
          [ACE.scope, 'fraud:read'],
          [ACE.reqCnf, reqCnf],
        ]),
      );
      expect(next.get(ACE.scope)).toBe('fraud:read');
      expect((next.get(ACE.cnf) as CborMap).get(1)).toEqual(key);
      expect(next.get(ACE.accessToken)).not.toEqual(first.get(ACE.accessToken));
      expect(claimsOf(next)).toMatchObject({ kid, scope: 'fraud:read' });
    }
  });

  it('renews nothing for a key of another client, of another resource server, of yesterday, or that was never given', async () => {
    const key = (cborOf(await askInCbor()).get(ACE.cnf) as CborMap).get(1) as CborMap;
    const kid = Buffer.from(key.get(2) as Uint8Array);
    const renew = (asked: Uint8Array): Promise<HttpResponse> =>
      askInCbor([[ACE.reqCnf, new Map([[3, asked]])]]);
    expect((await renew(kid)).status).toBe(201);
    for (const at of [0, 6, 12, 20, kid.length - 1]) {
      const other = Buffer.from(kid);
      other[at] = other[at] === 0x41 ? 0x42 : 0x41;
      expect(await errorOf(renew(other)), `byte ${at}`).toEqual([400, 7]);
    }
    for (const other of ['', 'x', '!'.repeat(38)])
      expect(await errorOf(renew(Buffer.from(other)))).toEqual([400, 7]);
    expect([...scene.counters.refusals.keys()]).toEqual(['ace_pop_key_unknown']);
    scene.clock.set(NOW + 86_401_000);
    expect(await errorOf(renew(kid))).toEqual([400, 7]);
  });

  it('gets the nonce back that a resource server without a clock gave it (RFC 9200 §5.8.4.4)', async () => {
    const cnonce = Buffer.from('e0a156bb3f', 'hex');
    const answer = cborOf(await askInCbor([[ACE.cnonce, cnonce]]));
    expect(claimsOf(answer)).toMatchObject({ cnonce: new Uint8Array(cnonce) });
    expect(claimsOf(cborOf(await askInCbor()))).not.toHaveProperty('cnonce');
    expect(await errorOf(askInCbor([[ACE.cnonce, 'text']]))).toEqual([400, 1]);
    expect(await errorOf(askInCbor([[ACE.cnonce, new Uint8Array(65)]]))).toEqual([400, 1]);
  });

  it('gets another key each time', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const cnf = (cborOf(await askInCbor()).get(ACE.cnf) as CborMap).get(1) as CborMap;
      seen.add(Buffer.from(cnf.get(-1) as Uint8Array).toString('hex'));
      seen.add(Buffer.from(cnf.get(2) as Uint8Array).toString());
    }
    expect(seen.size).toBe(10);
  });

  it.each([
    ['a wrong secret', [[ACE.clientSecret, 'csk_x']], [401, 2]],
    ['a client that nobody knows', [[ACE.clientId, 'other']], [401, 2]],
    ['a resource that it has no access to', [[ACE.audience, 'coaps://other.test']], [400, 1]],
    ['a scope that it does not hold', [[ACE.scope, 'fraud:all']], [400, 6]],
    ['a scope in bytes', [[ACE.scope, new Uint8Array([0x80])]], [400, 1]],
    ['another grant', [[ACE.grantType, 0]], [400, 5]],
    ['a grant by name', [[ACE.grantType, 'client_credentials']], [400, 1]],
    ['a key of its own', [[ACE.reqCnf, new Map([[1, new Map([[1, 2]])]])]], [400, 7]],
  ] as [string, [number, CborValue][], [number, number]][])(
    'is refused %s with its number',
    async (_, more, expected) => {
      expect(await errorOf(askInCbor(more))).toEqual(expected);
    },
  );

  it.each([
    ['that is no map', '80'],
    ['with a parameter twice', 'a2181861611818616a'],
    ['that has no end', 'bf1818617a'],
    ['with text in pieces', 'bf18187f617affff'],
    ['in a tag', 'd83da0'],
    ['that is empty', ''],
  ])('is refused a body %s', async (_, hex) => {
    const body = Buffer.from(hex, 'hex');
    const answer = scene.ask('', { authorization: null, contentType: 'application/ace+cbor', body });
    expect(await errorOf(answer)).toEqual([400, 1]);
  });

  it('is not given by form what comes with a key', async () => {
    const answer = await scene.ask();
    expect([answer.status, jsonOf(answer).error]).toEqual([400, 'invalid_request']);
    expect([...scene.counters.refusals.keys()]).toEqual(['cwt_by_form']);
  });

  it('may not be put off with a token that nobody could read', async () => {
    const scopes = Array.from({ length: 40 }, (_, i) => `a-scope-of-twenty-${i}:x`);
    const token = { ...scene.server.token, format: 'cwt' as const };
    const defined = scopes.map((name) => ({ name, description: '', sensitivity: 1 }));
    const current = await scene.storage.resourceServers.byId(scene.server.id);
    if (current === undefined) throw new Error('gone');
    await scene.storage.resourceServers.replace(changed(current, { token, scopes: defined }));
    await scene.storage.access.replace(changed(scene.access, { scopes }));
    expect(await errorOf(askInCbor())).toEqual([400, 6]);
    expect([...scene.counters.refusals.keys()]).toEqual(['token_too_large']);
  });
});

it('a resource server without a profile gives no token to who asks in CBOR', async () => {
  expect(await errorOf(askInCbor([[ACE.audience, FRAUD]]))).toEqual([400, 8]);
});

describe('the keys of a resource server', () => {
  const askForKeys = (authorization: string, resource = FRAUD): Promise<HttpResponse> =>
    scene.call('/oauth/derivation-keys', {
      body: Buffer.from(new URLSearchParams({ resource }).toString()),
      rawHeaders: ['Authorization', authorization, 'Content-Type', 'application/x-www-form-urlencoded'],
    });

  it('give it the key of each client, from the name that its token has for it', async () => {
    await turnToCwt();
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read', 'tokens:derive'] }));
    const map = cborOf(await askInCbor([[ACE.scope, 'fraud:read']]));
    const cnf = (map.get(ACE.cnf) as CborMap).get(1) as CborMap;
    const answer = await askForKeys(formatBasicCredentials('payments', scene.secret));
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const { resource, keys } = jsonOf(answer);
    expect(resource).toBe(FRAUD);
    const tag = Buffer.from(Buffer.from(cnf.get(2) as Uint8Array).toString(), 'base64url')
      .subarray(0, 4)
      .toString('base64url');
    const { k } = keys.find((each: { tag: string }) => each.tag === tag);
    expect(derivePopKey(Buffer.from(k, 'base64url'), cnf.get(2) as Uint8Array)).toEqual(
      new Uint8Array(cnf.get(-1) as Uint8Array),
    );
  });

  it('are in the log before they leave, without what is secret of them', async () => {
    await turnToCwt();
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read', 'tokens:derive'] }));
    const answer = await askForKeys(formatBasicCredentials('payments', scene.secret));
    const { keys } = jsonOf(answer) as { keys: { kid: string; k: string }[] };
    const event = scene.log.events.at(-1);
    expect(event).toMatchObject({
      type: 'derivation_keys.given',
      outcome: 'success',
      identity: 'payments',
      credential: scene.credential.id,
      resource: FRAUD,
      method: 'client_secret_basic',
    });
    expect(JSON.parse(event?.detail ?? '')).toEqual({ kids: keys.map(({ kid }) => kid) });
    expect(JSON.stringify(event)).not.toContain(keys[0]?.k);
  });

  it('stay where they are when the log takes no event', async () => {
    await turnToCwt();
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read', 'tokens:derive'] }));
    scene.log.mode = 'refuses';
    const answer = await askForKeys(formatBasicCredentials('payments', scene.secret));
    expect([answer.status, jsonOf(answer).error]).toEqual([503, 'temporarily_unavailable']);
  });

  it('are for nobody else', async () => {
    await turnToCwt();
    const own = formatBasicCredentials('payments', scene.secret);
    expect(jsonOf(await askForKeys(own)).error).toBe('invalid_target');
    expect(jsonOf(await askForKeys(own, 'coaps://other.test')).error).toBe('invalid_target');
    expect((await askForKeys(formatBasicCredentials('payments', 'csk_x'))).status).toBe(401);
    expect((await askForKeys(formatBasicCredentials('payments', await addApiKey(scene)))).status).toBe(401);
  });

  it('are not there where tokens are no CBOR', async () => {
    await scene.storage.access.replace(changed(scene.access, { scopes: ['fraud:read', 'tokens:derive'] }));
    expect(jsonOf(await askForKeys(formatBasicCredentials('payments', scene.secret))).error).toBe(
      'invalid_target',
    );
    expect(scene.bugs).toEqual([]);
  });
});
