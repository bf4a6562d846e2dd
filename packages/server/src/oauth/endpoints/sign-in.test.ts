// OpenID Connect Core §3.1.3.7 check by check, RFC 8693 §2.1, RFC 9068 §2.2: one person signs in, and nobody else.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { formatBasicCredentials, TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimsOf } from '../../../test/exchange-scene.ts';
import { assertingAsGrant } from '../../../test/federation-scene.ts';
import { proofOf } from '../../../test/dpop-proof.ts';
import { HANDLE, openPeopleScene, type PeopleScene, PROVIDER, SETTINGS } from '../../../test/people-scene.ts';
import { FRAUD, ISSUER, jsonOf, NOW } from '../../../test/token-scene.ts';
import { changed } from '../../storage/contract/records.ts';

const SECONDS = Math.floor(NOW / 1000);
let people: PeopleScene;
beforeEach(async () => {
  people = await openPeopleScene();
});
afterEach(async () => {
  expect(people.scene.bugs).toEqual([]);
  await people.scene.close();
});

const lastTold = () => people.scene.strangers.at(-1)?.event ?? people.scene.log.events.at(-1);
const faultTold = (): unknown => JSON.parse(lastTold()?.detail ?? '{}').fault;

describe('a sign-in', () => {
  it('gives a token for the admin API alone, bound to the key, of the person, with its roles and teams', async () => {
    const answer = jsonOf(await people.signIn(people.idToken()));
    expect(answer).toMatchObject({
      token_type: 'DPoP',
      issued_token_type: TOKEN_TYPE.accessToken,
      expires_in: 1800,
    });
    expect(answer.scope.split(' ')).toContain('approvals:write');
    expect(claimsOf(answer.access_token)).toMatchObject({
      iss: ISSUER,
      aud: `${ISSUER}/v1`,
      sub: `person:${HANDLE}`,
      client_id: 'countersign-cli',
      auth_time: SECONDS - 100,
      roles: ['admin'],
      groups: ['payments'],
      idp: { iss: PROVIDER, sub: 'ada-1' },
      crd: people.trustedIssuer.id,
      cnf: { jkt: people.key.jkt },
      exp: SECONDS + 1800,
    });
  });

  it('is in the log before the token leaves, with who vouched and when the person proved itself', async () => {
    const answer = jsonOf(await people.signIn(people.idToken()));
    expect(people.scene.log.events).toHaveLength(1);
    expect(people.scene.log.events[0]).toMatchObject({
      type: 'person.signed_in',
      identity: `person:${HANDLE}`,
      person: HANDLE,
      person_issuer: PROVIDER,
      person_subject: 'ada-1',
      signed_in_at: new Date((SECONDS - 100) * 1000).toISOString(),
      jti: claimsOf(answer.access_token)['jti'],
    });
    people.scene.log.mode = 'refuses';
    expect((await people.signIn(people.idToken({ jti: 'other' }))).status).not.toBe(200);
  });

  it('through the console is for the console’s own client at the provider', async () => {
    const console_ = { client_id: 'countersign-console' };
    expect((await people.signIn(people.idToken(), console_)).status).toBe(400);
    expect(faultTold()).toBe('wrong_audience');
    expect((await people.signIn(people.idToken({ aud: SETTINGS.consoleClientId }), console_)).status).toBe(
      200,
    );
  });

  it('may be for less', async () => {
    const answer = jsonOf(await people.signIn(people.idToken(), { scope: 'identities:read nonsense' }));
    expect(answer.scope).toBe('identities:read');
  });

  it('never lives longer than any token may', async () => {
    await people.scene.close();
    people = await openPeopleScene({}, { lifetimes: { default: 600, maximum: 900 } });
    expect(jsonOf(await people.signIn(people.idToken())).expires_in).toBe(900);
  });
});

describe('an ID token is refused', () => {
  it.each<[string, object, string]>([
    ['of another issuer', { iss: 'https://other.test' }, 'wrong_issuer'],
    ['of an issuer in another spelling', { iss: `${PROVIDER}/` }, 'wrong_issuer'],
    ['for another client', { aud: 'another-app' }, 'wrong_audience'],
    ['for another client too', { aud: [SETTINGS.clientId, 'another-app'] }, 'wrong_audience'],
    ['for nobody', { aud: [] }, 'wrong_audience'],
    ['that another client asked for', { azp: 'another-app' }, 'wrong_authorized_party'],
    ['that has expired', { exp: SECONDS - 31 }, 'expired'],
    ['without an end', { exp: undefined }, 'malformed'],
    ['without its time', { iat: undefined }, 'malformed'],
    ['of the future', { iat: SECONDS + 31 }, 'not_yet_valid'],
    ['that is old', { iat: SECONDS - 301 }, 'stale'],
    ['of another sign-in', { nonce: 'other' }, 'wrong_nonce'],
    ['without a nonce', { nonce: undefined }, 'wrong_nonce'],
    ['of nobody', { sub: '' }, 'wrong_subject'],
    ['of a subject that ends a line', { sub: 'a\nb' }, 'wrong_subject'],
    ['of a person who will prove itself later', { auth_time: SECONDS + 31 }, 'wrong_auth_time'],
  ])('%s', async (_what, claims, fault) => {
    const answer = await people.signIn(people.idToken(claims));
    expect([answer.status, jsonOf(answer)]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'the sign-in is not acceptable' },
    ]);
    expect(faultTold()).toBe(fault);
  });

  it('the second time', async () => {
    const idToken = people.idToken();
    expect((await people.signIn(idToken)).status).toBe(200);
    expect((await people.signIn(idToken, {}, { proofs: [proofOf(people.key, SECONDS)] })).status).toBe(400);
    expect(faultTold()).toBe('replayed');
    // The provider may sign the same sign-in twice: it is one all the same.
    expect((await people.signIn(people.idToken({ jti: 'second' }))).status).toBe(400);
    expect(faultTold()).toBe('replayed');
  });

  it('signed by nobody, with a secret, or by somebody else', async () => {
    const [, payload = ''] = people.idToken().split('.');
    const bare = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${payload}.`;
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const shared = `${btoa('{"alg":"HS256","kid":"first"}').replaceAll('=', '')}.${payload}.AAAA`;
    for (const text of [bare, shared, people.idToken({}, { typ: 'JWT' }, other), 'a.b.c', 'nonsense']) {
      expect((await people.signIn(text)).status).toBe(400);
    }
  });

  it('that says it is something else', async () => {
    for (const typ of ['at+jwt', 'dpop+jwt', 'logout+jwt', 'cutoffs+jwt']) {
      expect((await people.signIn(people.idToken({}, { typ }))).status).toBe(400);
      expect(faultTold()).toBe('wrong_typ');
    }
  });

  it('that is an access token of this authority', async () => {
    const { access_token: own } = jsonOf(await people.scene.ask());
    expect((await people.signIn(own)).status).toBe(400);
  });

  it('without what only who began the sign-in knows', async () => {
    const verifier = randomBytes(32).toString('base64url');
    expect((await people.signIn(people.idToken(), { nonce_verifier: verifier })).status).toBe(400);
    expect(faultTold()).toBe('wrong_nonce');
    for (const bad of [null, 'short', createHash('sha256').update('x').digest('hex').repeat(3)]) {
      const answer = await people.signIn(people.idToken(), { nonce_verifier: bad });
      expect(jsonOf(answer).error).toBe('invalid_request');
    }
  });
});

describe('nobody is signed in', () => {
  it('without a key that the token is bound to', async () => {
    const answer = await people.signIn(people.idToken(), {}, { proofs: [] });
    expect(answer.status).toBe(400);
    // The ID token is not used up: the client may come with its proof.
    expect((await people.signIn(people.idToken())).status).toBe(200);
  });

  it('for another API, or for two', async () => {
    for (const change of [{ resource: FRAUD }, { audience: FRAUD }, { resource: `${ISSUER}/v1/` }]) {
      expect(jsonOf(await people.signIn(people.idToken(), change)).error).toBe('invalid_target');
    }
  });

  it.each<[string, Record<string, string>]>([
    ['as an access token', { subject_token_type: TOKEN_TYPE.accessToken }],
    ['as a JWT', { subject_token_type: TOKEN_TYPE.jwt }],
    ['for an ID token', { requested_token_type: TOKEN_TYPE.idToken }],
    ['with an actor', { actor_token: 'x', actor_token_type: TOKEN_TYPE.jwt }],
    ['with rich authorization', { authorization_details: '[]' }],
  ])('%s', async (_what, change) => {
    expect(jsonOf(await people.signIn(people.idToken(), change)).error).toBe('invalid_request');
  });

  it('by a client that proves itself', async () => {
    const authorization = formatBasicCredentials('payments', people.scene.secret);
    const answer = await people.signIn(people.idToken(), {}, { authorization });
    expect(jsonOf(answer).error).toBe('invalid_request');
  });

  it.each<[string, object]>([
    ['in no group', { groups: [] }],
    ['whose groups are no list', { groups: 'platform-admins' }],
    ['without groups', { groups: undefined }],
    [
      'in a group that looks like one',
      {
        groups: [
          'Platform-Admins',
          'platform-admins ',
          'platform‑admins',
          'platform-admin',
          'platform-admins\0',
          'рlatform-admins',
        ],
      },
    ],
    ['in groups that are no texts', { groups: [['platform-admins'], { 0: 'platform-admins' }, null, 1] }],
    [
      'in more groups than a token should list',
      { groups: Array.from({ length: 501 }, () => 'platform-admins') },
    ],
  ])('%s', async (_what, claims) => {
    const answer = await people.signIn(people.idToken(claims));
    expect(jsonOf(answer).error).toBe('access_denied');
  });

  it.each<[string, object]>([
    ['whose address is not verified', { email_verified: false }],
    ['whose address is said to be verified', { email_verified: 'true' }],
    ['without an address', { email: undefined }],
    ['whose address has letters that look like others', { email: 'аda@example.com' }],
    ['whose address ends a line', { email: 'ada@example.com\n' }],
  ])('%s', async (_what, claims) => {
    expect(jsonOf(await people.signIn(people.idToken(claims))).error).toBe('access_denied');
  });

  it('once the issuer is suspended, and where there is none', async () => {
    const { trustedIssuer, scene } = people;
    await scene.storage.trustedIssuers.replace(changed(trustedIssuer, { state: 'suspended' }));
    expect(jsonOf(await people.signIn(people.idToken())).error).toBe('invalid_grant');
    expect(lastTold()?.reason).toBe('sign_in_not_offered');
  });

  it('who has left', async () => {
    await people.scene.close();
    people = await openPeopleScene();
    const { people: deps } = people.scene.deps;
    (deps as { standing?: unknown }).standing = async () => 'left';
    expect(jsonOf(await people.signIn(people.idToken())).error).toBe('access_denied');
  });
});

describe('a person is no machine', () => {
  it('an ID token authenticates no machine: not as a grant, not as a subject token', async () => {
    const asGrant = await assertingAsGrant(people.scene, people.idToken({ aud: ISSUER }));
    expect(jsonOf(asGrant).error).toBe('invalid_grant');
    expect(lastTold()?.reason).toBe('assertion_issuer_of_people');
    const { scene } = people;
    for (const authorization of [null, formatBasicCredentials('payments', scene.secret)]) {
      const answer = await people.signIn(
        people.idToken({ aud: ISSUER }),
        { client_id: null, nonce_verifier: null, resource: FRAUD },
        { authorization, proofs: [] },
      );
      expect(jsonOf(answer).error).toBe('invalid_request');
    }
  });

  it('a person’s token is exchanged for nothing, and introspects as nothing', async () => {
    const { access_token: token } = jsonOf(await people.signIn(people.idToken()));
    const exchanged = await people.scene.ask('', {
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: TOKEN_TYPE.accessToken,
        resource: FRAUD,
      }).toString(),
    });
    expect(jsonOf(exchanged).error).toBe('invalid_request');
    expect(jsonOf(await people.scene.about('/oauth/introspect', token))).toEqual({ active: false });
  });
});
