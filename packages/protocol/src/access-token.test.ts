import { describe, expect, it } from 'vitest';
import { type AccessTokenRefusal, checkAccessToken } from './access-token.ts';
import { type AccessTokenClaimsFault, parseAccessTokenClaims } from './access-token-claims.ts';
import { cutOffBy, indexCutoffs, isCutOff, parseCutoffFeed } from './cutoff-feed.ts';

const CLAIMS = {
  iss: 'https://as.example.com',
  sub: 'payments',
  client_id: 'payments',
  aud: 'https://fraud.example.com',
  scope: 'fraud:read fraud:list',
  iat: 1000,
  exp: 1600,
  jti: 'j1',
  crd: 'crd_1',
  acs: 'acs_1',
};
const parse = (change: object) =>
  parseAccessTokenClaims(Buffer.from(JSON.stringify({ ...CLAIMS, ...change })));
const claims = (change: object = {}) => {
  const result = parse(change);
  if (!result.ok) throw new Error(result.fault);
  return result.claims;
};
const THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

describe('the claims of an access token', () => {
  it('are read into their types', () => {
    expect(claims()).toMatchObject({
      aud: ['https://fraud.example.com'],
      scope: ['fraud:read', 'fraud:list'],
      crd: 'crd_1',
    });
    expect(claims({ aud: ['a', 'b'], scope: undefined })).toMatchObject({ aud: ['a', 'b'], scope: [] });
    expect(claims({ act: { sub: 'a', act: { sub: 'b' } } }).act).toEqual({ sub: 'a', act: { sub: 'b' } });
    expect(claims({ extra: 1 }).all['extra']).toBe(1);
  });

  it('keep a confirmation that is not understood, so that a verifier can refuse it', () => {
    expect(claims({ cnf: { jkt: THUMBPRINT } }).cnf).toEqual({ jkt: THUMBPRINT, unknown: [] });
    expect(claims({ cnf: { 'x5t#S256': THUMBPRINT } }).cnf).toEqual({ 'x5t#S256': THUMBPRINT, unknown: [] });
    expect(claims({ cnf: { future: 1 } }).cnf).toEqual({ unknown: ['future'] });
  });

  it.each<[object, AccessTokenClaimsFault]>([
    [{ iss: undefined }, 'missing_iss'],
    [{ exp: undefined }, 'missing_exp'],
    [{ aud: undefined }, 'missing_aud'],
    [{ sub: undefined }, 'missing_sub'],
    [{ client_id: undefined }, 'missing_client_id'],
    [{ iat: undefined }, 'missing_iat'],
    [{ jti: undefined }, 'missing_jti'],
    [{ iss: ['https://as.example.com'] }, 'bad_iss'],
    [{ sub: '' }, 'bad_sub'],
    [{ sub: null }, 'bad_sub'],
    [{ client_id: {} }, 'bad_client_id'],
    [{ jti: 1 }, 'bad_jti'],
    [{ aud: [] }, 'bad_aud'],
    [{ aud: ['a', 1] }, 'bad_aud'],
    [{ aud: '' }, 'bad_aud'],
    [{ aud: { a: 1 } }, 'bad_aud'],
    [{ exp: '1600' }, 'bad_exp'],
    [{ exp: 1600.5 }, 'bad_exp'],
    [{ exp: -1 }, 'bad_exp'],
    [{ exp: 1e20 }, 'bad_exp'],
    [{ exp: null }, 'bad_exp'],
    [{ iat: true }, 'bad_iat'],
    [{ nbf: 'now' }, 'bad_nbf'],
    [{ nbf: null }, 'bad_nbf'],
    [{ scope: ['a'] }, 'bad_scope'],
    [{ scope: 'a  b' }, 'bad_scope'],
    [{ scope: '' }, 'bad_scope'],
    [{ cnf: null }, 'bad_cnf'],
    [{ cnf: {} }, 'bad_cnf'],
    [{ cnf: { jkt: 'short' } }, 'bad_cnf'],
    [{ act: 'a' }, 'bad_act'],
    [{ act: {} }, 'bad_act'],
    [{ crd: 1 }, 'bad_crd'],
    [{ acs: '' }, 'bad_acs'],
    [{ via: [] }, 'bad_via'],
    [{ via: [{ jti: 'j' }] }, 'bad_via'],
    [{ via: 'j' }, 'bad_via'],
  ])('are refused with %j', (change, fault) => {
    expect(parse(change)).toEqual({ ok: false, fault });
  });

  it('are refused with a repeated claim and as anything but an object', () => {
    expect(parseAccessTokenClaims(Buffer.from('{"iss":"a","iss":"b"}'))).toEqual({
      ok: false,
      fault: 'duplicate_member',
    });
    expect(parseAccessTokenClaims(Buffer.from('null'))).toEqual({ ok: false, fault: 'not_an_object' });
    expect(parseAccessTokenClaims(Buffer.from('{"__proto__":{"iss":"a"}}'))).toEqual({
      ok: false,
      fault: 'missing_iss',
    });
  });
});

describe('an access token', () => {
  const check = (change: object = {}, more: object = {}, typ: string | undefined = 'at+jwt') =>
    checkAccessToken({
      claims: claims(change),
      header: { alg: 'ES256', ...(typ === undefined ? {} : { typ }) },
      now: 1200,
      issuer: CLAIMS.iss,
      audience: CLAIMS.aud,
      leeway: 5,
      ...more,
    });

  it('is accepted when it is from the issuer, for this API, now', () => {
    expect(check()).toBeUndefined();
    expect(check({}, {}, 'Application/AT+JWT')).toBeUndefined();
    expect(check({ aud: ['x', CLAIMS.aud] })).toBeUndefined();
    expect(check({}, { audience: ['other', CLAIMS.aud] })).toBeUndefined();
    expect(check({}, { now: 1604 })).toBeUndefined();
    expect(check({ nbf: 1205 })).toBeUndefined();
    expect(check({}, { allowPlainJwt: true }, 'JWT')).toBeUndefined();
  });

  it.each<[AccessTokenRefusal, object, object, string]>([
    ['wrong_typ', {}, {}, 'JWT'],
    ['wrong_typ', {}, {}, 'cutoffs+jwt'],
    ['wrong_typ', {}, { allowPlainJwt: true }, 'dpop+jwt'],
    ['wrong_issuer', { iss: `${CLAIMS.iss}/` }, {}, 'at+jwt'],
    ['wrong_audience', { aud: `${CLAIMS.aud}/` }, {}, 'at+jwt'],
    ['wrong_audience', {}, { audience: [] }, 'at+jwt'],
    ['expired', {}, { now: 1605 }, 'at+jwt'],
    ['not_yet_valid', { nbf: 1206 }, {}, 'at+jwt'],
    ['issued_in_the_future', { iat: 1206 }, {}, 'at+jwt'],
  ])('is refused: %s', (reason, change, more, typ) => {
    expect(check(change, more, typ)).toBe(reason);
  });

  it('without typ is refused unless plain JWTs are allowed', () => {
    const bare = {
      claims: claims(),
      header: { alg: 'ES256' },
      now: 1200,
      issuer: CLAIMS.iss,
      audience: CLAIMS.aud,
      leeway: 0,
    };
    expect(checkAccessToken(bare)).toBe('wrong_typ');
    expect(checkAccessToken({ ...bare, allowPlainJwt: true })).toBeUndefined();
  });
});

describe('the cut-off feed', () => {
  const feed = (change: object) =>
    parseCutoffFeed(
      Buffer.from(
        JSON.stringify({ iss: CLAIMS.iss, iat: 1, exp: 60, from: 0, cursor: 3, entries: [], ...change }),
      ),
    );

  it('cuts off tokens issued at or before the order, by each kind', () => {
    for (const [kind, id] of [
      ['identity', 'payments'],
      ['credential', 'crd_1'],
      ['token', 'j1'],
      ['key', 'k1'],
    ] as const) {
      const index = indexCutoffs([{ kind, id, not_before: 1000 }]);
      expect(cutOffBy(index, claims(), 'k1')).toEqual({ kind, id, not_before: 1000 });
      expect(isCutOff(index, claims({ iat: 1001 }), 'k1')).toBe(kind === 'key');
      expect(isCutOff(indexCutoffs([{ kind, id: 'other', not_before: 1000 }]), claims(), 'k1')).toBe(false);
    }
    expect(isCutOff(indexCutoffs([]), claims(), 'k1')).toBe(false);
  });

  it('cuts off what was exchanged with everybody it names and everything it comes from', () => {
    const exchanged = claims({
      sub: 'orders',
      act: { sub: 'payments', act: { sub: 'gateway' } },
      via: [
        { jti: 'j9', crd: 'crd_9', aud: 'https://b.example', scope: 'b', kid: 'k9' },
        { jti: 'j8', crd: 'crd_8', aud: 'https://a.example', scope: 'a', kid: 'k8' },
      ],
    });
    for (const [kind, id] of [
      ['identity', 'orders'],
      ['identity', 'gateway'],
      ['credential', 'crd_8'],
      ['credential', 'crd_9'],
      ['token', 'j8'],
      ['token', 'j9'],
      ['key', 'k8'],
    ] as const) {
      const index = indexCutoffs([{ kind, id, not_before: 1000 }]);
      expect(cutOffBy(index, exchanged, 'k1')).toEqual({ kind, id, not_before: 1000 });
      expect(cutOffBy(index, claims(), 'k1')).toBeUndefined();
    }
  });

  it('is never taken back by an earlier order', () => {
    const before = indexCutoffs([{ kind: 'token', id: 'j1', not_before: 1000 }]);
    expect(
      isCutOff(indexCutoffs([{ kind: 'token', id: 'j1', not_before: 1 }], before), claims(), undefined),
    ).toBe(true);
  });

  it('is read strictly', () => {
    expect(feed({}).ok).toBe(true);
    expect(feed({ entries: [{ kind: 'key', id: 'k', not_before: 1 }] }).ok).toBe(true);
    for (const [change, fault] of [
      [{ iss: 1 }, 'bad_iss'],
      [{ iat: 1.5 }, 'bad_iat'],
      [{ exp: 1 }, 'bad_exp'],
      [{ from: 4 }, 'bad_cursor'],
      [{ cursor: '3' }, 'bad_cursor'],
      [{ entries: {} }, 'bad_entries'],
      [{ entries: [{ kind: 'access', id: 'a', not_before: 1 }] }, 'bad_entry'],
      [{ entries: [{ kind: 'key', id: '', not_before: 1 }] }, 'bad_entry'],
      [{ entries: [{ kind: 'key', id: 'k' }] }, 'bad_entry'],
      [{ entries: [null] }, 'bad_entry'],
    ] as const) {
      expect(feed(change)).toEqual({ ok: false, fault });
    }
  });
});
