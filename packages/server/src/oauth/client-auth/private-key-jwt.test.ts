// Client authentication by an assertion, through the endpoints: RFC 7523 §2.2, §3, RFC 10070.
import { randomUUID } from 'node:crypto';
import { signJws } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addClientKey,
  assertionForm,
  assertionOf,
  type ClientKey,
  clientKey,
} from '../../../test/client-assertion.ts';
import { flood } from '../../../test/used-proofs.ts';
import { changed, ISSUER, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import type { HttpResponse } from '../../http/response.ts';
import { accessRecord, identityRecord } from '../../storage/contract/records.ts';
import { StorageError } from '../../storage/errors.ts';
import { createJwksCache, JWKS_FRESH_MS, JWKS_STALE_MS } from '../../outbound/jwks-cache.ts';
import { OutboundRefusal } from '../../outbound/outbound-refusal.ts';
import { MOST_TRIED } from './published-keys.ts';

const SECONDS = Math.floor(NOW / 1000);
const ES = clientKey();
let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const show = (assertion: string, form: object = {}): Promise<HttpResponse> =>
  scene.ask(assertionForm(assertion, form), { authorization: null });
const made = (claims: object = {}, header: object = {}, key: ClientKey = ES): string =>
  assertionOf(key, SECONDS, claims, header);
/** `ok`, or the reason that the log has. */
async function outcome(assertion: string, form: object = {}): Promise<string | undefined> {
  const before = scene.strangers.length;
  const answer = await show(assertion, form);
  if (answer.status === 200) return 'ok';
  expect(scene.bugs).toEqual([]);
  return scene.strangers[before]?.event.reason ?? scene.log.events.at(-1)?.reason;
}

describe('a client proves itself with an assertion', () => {
  it.each(['ES256', 'ES384', 'PS256', 'RS384', 'EdDSA'] as const)('signed %s', async (alg) => {
    const key = clientKey(alg);
    const credential = await addClientKey(scene, key);
    expect(await outcome(made({}, {}, key))).toBe('ok');
    expect(scene.log.events.at(-1)).toMatchObject({ method: 'private_key_jwt', credential: credential.id });
  });

  it('signed RS256 only where its key was registered for that', async () => {
    const key = clientKey('RS256');
    const record = await addClientKey(scene, key);
    expect(await outcome(made({}, {}, key))).toBe('client_assertion_key_unknown');
    await scene.storage.credentials.replace(
      changed(record, { material: { ...record.material, allowRs256: true } as typeof record.material }),
    );
    expect(await outcome(made({}, {}, key))).toBe('ok');
  });

  it('at introspection and revocation too', async () => {
    await addClientKey(scene, ES);
    const token = String(jsonOf(await show(made()))['access_token']);
    const call = (path: string, claims: object = {}) =>
      scene.call(path, {
        body: Buffer.from(`token=${token}&${assertionForm(made(claims))}`),
        rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
      });
    expect(jsonOf(await call('/oauth/introspect'))).toMatchObject({ active: true, client_id: 'payments' });
    expect((await call('/oauth/revoke', { aud: 'x' })).status).toBe(401);
    expect((await call('/oauth/revoke')).status).toBe(200);
    expect(jsonOf(await call('/oauth/introspect'))).toEqual({ active: false });
  });

  it('with or without client_id beside it, but not with another', async () => {
    await addClientKey(scene, ES);
    expect(await outcome(made())).toBe('ok');
    expect(await outcome(made(), { client_id: 'payments' })).toBe('ok');
    expect(await outcome(made(), { client_id: 'billing' })).toBe('client_id_mismatch');
  });

  it('and in no other way in the same request', async () => {
    await addClientKey(scene, ES);
    const basic = await scene.ask(assertionForm(made()));
    expect([basic.status, jsonOf(basic)['error']]).toEqual([400, 'invalid_request']);
    expect(await outcome(made(), { client_secret: scene.secret })).toBe('several_client_auth_methods');
    for (const half of [
      { client_assertion: 'x', client_assertion_type: '' },
      { client_assertion: '', client_assertion_type: 'x' },
    ]) {
      const answer = await scene.ask(new URLSearchParams(half).toString());
      expect(jsonOf(answer)['error']).toBe('invalid_request');
    }
  });
});

describe('the key', () => {
  it('is the one that kid, its thumbprint or x5t#S256 names, or any that fits', async () => {
    const other = clientKey();
    const x5t = 'x'.repeat(43);
    await addClientKey(scene, other, { jwk: { ...other.jwk, kid: 'b' } });
    await addClientKey(scene, ES, { jwk: { ...ES.jwk, kid: 'a', 'x5t#S256': x5t } });
    expect(await outcome(made())).toBe('ok');
    expect(await outcome(made({}, {}, other))).toBe('ok');
    expect(await outcome(made({}, { 'x5t#S256': x5t }))).toBe('ok');
    expect(await outcome(made({}, { 'x5t#S256': x5t }, other))).toBe('client_assertion_signature');
    expect(await outcome(made({}, { 'x5t#S256': 'y'.repeat(43) }))).toBe('client_assertion_signature');
    const kid = (name: string) => ({ ...ES, sign: name });
    expect(await outcome(signedWithKid(kid('a'), 'a'))).toBe('ok');
    expect(await outcome(signedWithKid(kid('a'), 'b'))).toBe('client_assertion_signature');
    expect(await outcome(signedWithKid(kid('a'), 'c'))).toBe('client_assertion_key_unknown');
  });

  it('that is registered twice counts as long as one of the two credentials may be used', async () => {
    const first = await addClientKey(scene, ES);
    const second = await addClientKey(scene, ES);
    for (const [stopped, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const suspended = changed(stopped, { state: 'suspended' });
      await scene.storage.credentials.replace(suspended);
      expect(await outcome(made())).toBe('ok');
      expect(scene.log.events.at(-1)).toMatchObject({ credential: other.id });
      await scene.storage.credentials.replace({ ...stopped, version: suspended.version + 1 });
    }
  });

  it('of another client does not do, though it has the same kid', async () => {
    const billing = identityRecord({ clientId: 'billing' });
    await scene.storage.identities.insert(billing);
    await addClientKey({ storage: scene.storage, identity: billing }, ES, { jwk: { ...ES.jwk, kid: 'k' } });
    const own = clientKey();
    await addClientKey(scene, own, { jwk: { ...own.jwk, kid: 'k' } });
    expect(await outcome(signedWithKid(ES, 'k'))).toBe('client_assertion_signature');
  });

  it.each([
    ['suspended', { state: 'suspended' }, 'credential_suspended'],
    ['revoked', { state: 'revoked' }, 'credential_revoked'],
    ['expired', { expiresAt: NOW }, 'credential_expired'],
    ['not yet valid', { notBeforeAt: NOW + 1 }, 'credential_not_yet_valid'],
  ] as const)('%s opens nothing', async (_, record, reason) => {
    await addClientKey(scene, ES, { record });
    expect(await outcome(made())).toBe(reason);
  });

  function signedWithKid({ alg, privateKey }: ClientKey, kid: string): string {
    const payload = { iss: 'payments', sub: 'payments', aud: ISSUER, jti: randomUUID(), exp: SECONDS + 60 };
    const header = { typ: 'client-authentication+jwt' };
    return signJws(header, JSON.stringify(payload), { kid, alg, keyObject: privateKey });
  }
});

describe('the audience', () => {
  it('is the issuer alone, as text or as the one member of an array', async () => {
    await addClientKey(scene, ES);
    expect(await outcome(made({ aud: [ISSUER] }))).toBe('ok');
    for (const aud of [
      `${ISSUER}/`,
      `${ISSUER}/oauth/token`,
      [ISSUER, 'https://other.test'],
      [ISSUER, ISSUER],
      [],
      'https://other.test',
      '',
    ]) {
      expect(await outcome(made({ aud }))).toBe('client_assertion_audience');
    }
  });

  it('may be the token endpoint where the credential allows it, and for it alone', async () => {
    const strict = clientKey();
    await addClientKey(scene, ES, { allowTokenEndpointAudience: true });
    await addClientKey(scene, strict);
    const aud = `${ISSUER}/oauth/token`;
    expect(await outcome(made({ aud }))).toBe('ok');
    expect(await outcome(made({ aud: [aud] }))).toBe('ok');
    expect(await outcome(made({}))).toBe('ok');
    expect(await outcome(made({ aud: [aud, ISSUER] }))).toBe('client_assertion_audience');
    expect(await outcome(made({ aud }, {}, strict))).toBe('client_assertion_audience');
  });
});

describe('a jti', () => {
  it('is used once though a node whose clock is ahead tidies up meanwhile', async () => {
    await addClientKey(scene, ES);
    const late = made({ iat: SECONDS - 60, exp: SECONDS - 29 });
    expect(await outcome(late)).toBe('ok');
    await scene.storage.usedOnce.sweep(NOW + 50_000);
    expect(await outcome(late)).toBe('client_assertion_replayed');
  });

  it('is used once, also by 200 requests at the same time', async () => {
    await addClientKey(scene, ES);
    const assertion = made();
    const answers = await Promise.all(Array.from({ length: 200 }, () => show(assertion)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 401)).toHaveLength(199);
  });

  it('is used up by any assertion that has it, until a minute after that could be used', async () => {
    await addClientKey(scene, ES);
    expect(await outcome(made({ jti: 'one', exp: SECONDS + 10 }))).toBe('ok');
    expect(await outcome(made({ jti: 'one', exp: SECONDS + 600 }))).toBe('client_assertion_replayed');
    const again = made({ jti: 'one', exp: SECONDS + 600 });
    scene.clock.set(NOW + 40_000);
    expect(await outcome(again)).toBe('client_assertion_replayed');
    scene.clock.set(NOW + 103_000);
    expect(await outcome(again)).toBe('ok');
  });

  it('is not used up by what proves nothing', async () => {
    await addClientKey(scene, ES);
    expect(await outcome(made({ jti: 'one' }, {}, clientKey()))).toBe('client_assertion_signature');
    expect(await outcome(made({ jti: 'one', aud: 'x' }))).toBe('client_assertion_audience');
    expect(await outcome(made({ jti: 'one' }))).toBe('ok');
  });

  it('is used up although the database answers seconds after it was read, or another node is ahead', async () => {
    const { claim } = scene.storage.usedOnce;
    const usedOnce = {
      claim: (...args: Parameters<typeof claim>) => {
        scene.clock.set(scene.clock.now() + 5000);
        return claim(...args);
      },
    };
    const slow = await openTokenScene({ ...scene.deps, usedOnce });
    await addClientKey(scene, ES);
    const late = made({ jti: 'one', exp: SECONDS - 29 });
    const ask = () => slow.ask(assertionForm(late), { authorization: null });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    // Swept by a node whose clock is ahead, shown to one whose clock is right.
    expect(await scene.storage.usedOnce.sweep(NOW + 30_000)).toBe(0);
    scene.clock.set(NOW);
    expect((await ask()).status).toBe(401);
    await slow.close();
  });

  it('that cannot be known to be new authenticates nobody', async () => {
    const usedOnce = { claim: () => Promise.reject(new StorageError('unavailable', 'gone')) };
    const { facts, secretHash, log } = scene.deps;
    const other = await openTokenScene({ facts, secretHash, log, usedOnce });
    await addClientKey(scene, ES);
    const answer = await other.ask(assertionForm(made()), { authorization: null });
    await other.close();
    expect([answer.status, jsonOf(answer)['error']]).toEqual([503, 'temporarily_unavailable']);
    expect(scene.log.events).toEqual([]);
  });
});

describe('an assertion that is used up and not durably so', () => {
  let kept: string[];
  let other: TokenScene;
  let fails: boolean;

  beforeEach(async () => {
    kept = [];
    fails = false;
    const seen = new Set<string>();
    const { facts, secretHash } = scene.deps;
    const usedOnce = {
      claim: () => Promise.reject(new Error('nothing is claimed where it can be held')),
      hold: (_namespace: string, id: string) => {
        if (seen.has(id)) return undefined;
        seen.add(id);
        return {
          mark: `mark-${seen.size}`,
          keep: async () => {
            if (fails) throw new StorageError('unavailable', 'gone');
            kept.push(id);
          },
        };
      },
    };
    other = await openTokenScene({ facts, secretHash, usedOnce });
    await addClientKey(scene, ES);
  });
  afterEach(() => other.close());
  const ask = (assertion: string, form: object = {}) =>
    other.ask(assertionForm(assertion, form), { authorization: null });

  it('is carried by the event of its token, and not written a second time', async () => {
    const assertion = made();
    expect((await ask(assertion)).status).toBe(200);
    expect(other.log.events).toMatchObject([{ type: 'token.issued', proof: 'mark-1' }]);
    expect(kept).toEqual([]);
    expect((await ask(assertion)).status).toBe(401);
    expect(other.strangers.at(-1)?.event.reason).toBe('client_assertion_replayed');
  });

  it.each<[string, object]>([
    ['a scope it does not have', { scope: 'everything' }],
    ['a resource of nobody', { resource: 'https://nobody.test' }],
    ['details of an unknown type', { authorization_details: '[]' }],
  ])('is written before a refusal leaves, as for %s', async (_what, form) => {
    const assertion = made({ jti: 'one' });
    expect((await ask(assertion, form)).status).toBe(400);
    expect(kept).toEqual([JSON.stringify(['payments', 'one'])]);
    expect((await ask(assertion)).status).toBe(401);
  });

  it('is written when the log takes no event', async () => {
    other.log.mode = 'refuses';
    expect((await ask(made())).status).toBe(503);
    expect(kept).toHaveLength(1);
  });

  it('is written when its client may not act', async () => {
    await scene.storage.identities.replace(changed(scene.identity, { state: 'suspended' as const }));
    expect((await ask(made())).status).toBe(401);
    expect(kept).toHaveLength(1);
  });

  it('is written at endpoints that issue nothing', async () => {
    const answer = await other.call('/oauth/introspect', {
      body: Buffer.from(`token=x&${assertionForm(made())}`),
      rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded'],
    });
    expect(answer.status).toBe(200);
    expect(kept).toHaveLength(1);
  });

  it('gets an answer that says so where it cannot be written', async () => {
    fails = true;
    const answer = await ask(made(), { scope: 'everything' });
    expect([answer.status, jsonOf(answer)['error']]).toEqual([503, 'temporarily_unavailable']);
  });
});

describe('keys that the client publishes', () => {
  const URI = 'https://client.test/jwks';
  let published: object[] | OutboundRefusal;
  let fetches: string[];

  beforeEach(async () => {
    published = [];
    fetches = [];
    await scene.close();
    const jwks = createJwksCache(async (url) => {
      fetches.push(url);
      if (published instanceof OutboundRefusal) throw published;
      return Buffer.from(JSON.stringify({ keys: published }));
    });
    scene = await openTokenScene({ jwks });
  });
  const register = (change: Parameters<typeof addClientKey>[2] = {}) =>
    addClientKey(scene, ES, { jwksUri: URI, ...change });
  const later = (ms: number, claims: object = {}, key = ES): string => {
    scene.clock.set(NOW + ms);
    return assertionOf(key, Math.floor((NOW + ms) / 1000), claims);
  };
  const named = (key: ClientKey, kid: string): object => ({ ...key.jwk, kid, use: 'sig' });

  it('are taken, fetched once for many', async () => {
    published = [named(ES, 'a')];
    const credential = await register();
    const answers = await Promise.all(Array.from({ length: 20 }, () => show(made())));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(fetches).toEqual([URI]);
    expect(scene.log.events.at(-1)).toMatchObject({ credential: credential.id });
  });

  it('stop working within five minutes of being gone, and new ones work at once', async () => {
    const next = clientKey();
    published = [named(ES, 'a')];
    await register();
    expect(await outcome(made())).toBe('ok');
    published = [named(next, 'b')];
    expect(await outcome(later(40_000, {}, next))).toBe('ok');
    expect(await outcome(later(41_000))).toBe('client_assertion_signature');
    published = [named(ES, 'a')];
    expect(await outcome(later(JWKS_FRESH_MS + 40_000))).toBe('ok');
  });

  it('serve for an hour while they cannot be had, and then nobody is authenticated', async () => {
    published = [named(ES, 'a')];
    await register();
    expect(await outcome(made())).toBe('ok');
    published = new OutboundRefusal('timed_out', 'client.test');
    expect(await outcome(later(JWKS_STALE_MS - 1000))).toBe('ok');
    expect(await outcome(later(JWKS_STALE_MS + 1000))).toBe('client_assertion_keys_unavailable');
  });

  it('are not asked for on behalf of a credential that is not live', async () => {
    published = [named(ES, 'a')];
    for (const record of [{ state: 'revoked' }, { state: 'suspended' }, { expiresAt: NOW }] as const) {
      await register({ record });
      expect(await outcome(made())).toBe('client_assertion_key_unknown');
    }
    expect(fetches).toEqual([]);
  });

  it('are tried one after the other where no kid tells them apart, up to a number', async () => {
    const others = Array.from({ length: MOST_TRIED }, (_, at) => named(clientKey(), `o${at}`));
    published = [...others.slice(1), named(ES, 'a')];
    await register();
    expect(await outcome(made())).toBe('ok');
    published = [...others, named(ES, 'a')];
    expect(await outcome(later(JWKS_FRESH_MS))).toBe('client_assertion_signature');
  });

  it('of RSA are for PS256 unless they say otherwise, and RS256 is for credentials that allow it', async () => {
    const ps = clientKey('PS256');
    const rs: ClientKey = { ...ps, alg: 'RS256' };
    published = [named(ps, 'a')];
    await register();
    expect(await outcome(made({}, {}, ps))).toBe('ok');
    expect(await outcome(made({}, {}, rs))).toBe('client_assertion_key_unknown');
    await scene.close();
    const jwks = createJwksCache(async () => Buffer.from(JSON.stringify({ keys: [named(rs, 'a')] })));
    scene = await openTokenScene({ jwks });
    const record = await register();
    expect(await outcome(made({}, {}, rs))).toBe('client_assertion_key_unknown');
    const material = { ...record.material, allowRs256: true } as typeof record.material;
    await scene.storage.credentials.replace(changed(record, { material }));
    expect(await outcome(made({}, {}, rs))).toBe('ok');
  });

  it('stand beside registered ones, which need no fetch', async () => {
    published = [];
    await register();
    await addClientKey(scene, ES);
    expect(await outcome(made())).toBe('ok');
    expect(fetches).toEqual([]);
    expect(await outcome(made({}, {}, clientKey()))).toBe('client_assertion_key_unknown');
    expect(fetches).toEqual([URI]);
  });
});

it('a client that uses up its share of the used proofs is refused alone, with the time to wait, and let in when it has passed', async () => {
  await addClientKey(scene, ES);
  const other = identityRecord({ clientId: 'billing' });
  await scene.storage.identities.insert(other);
  await scene.storage.access.insert(accessRecord(other.id, scene.server.id, { scopes: ['fraud:read'] }));
  await addClientKey({ ...scene, identity: other }, ES);
  expect(await outcome(made())).toBe('ok');
  await flood(scene.storage.usedOnce, 'payments', NOW + 3_600_000);
  const refused = await show(made());
  expect([refused.status, jsonOf(refused).error]).toEqual([429, 'temporarily_unavailable']);
  const wait = Number(refused.headers['retry-after']);
  expect(wait).toBeGreaterThan(60);
  expect(scene.log.events.at(-1)).toMatchObject({
    type: 'token.refused',
    identity: 'payments',
    reason: 'proof_share_used_up',
  });
  expect(scene.strangers).toEqual([]);
  const theirs = { iss: 'billing', sub: 'billing' };
  expect(await outcome(made(theirs))).toBe('ok');
  // Nobody else fills it: what is signed by nobody's key does not count.
  expect(await outcome(made({}, {}, clientKey()))).toBe('client_assertion_signature');
  scene.clock.set(NOW + (wait + 3600) * 1000);
  expect(await outcome(assertionOf(ES, SECONDS + wait + 3600))).toBe('ok');
}, 60_000);
