// Tokens of trusted issuers as subject tokens (RFC 8693 §2.1): they say who asks, and nobody acts for anybody.
import { formatBasicCredentials, TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addParty, claimsOf } from '../../../test/exchange-scene.ts';
import { addFederation, type Federation, SECONDS } from '../../../test/federation-scene.ts';
import { FRAUD, jsonOf, NOW, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';

let scene: TokenScene;
let federation: Federation;
beforeEach(async () => {
  scene = await openTokenScene();
  federation = await addFederation(scene);
});
afterEach(() => scene.close());

function exchange(
  subjectToken: string,
  change: Readonly<Record<string, string>> = {},
  authorization: string | null = null,
) {
  const params = {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: TOKEN_TYPE.jwt,
    audience: FRAUD,
    ...change,
  };
  return scene.ask('', { authorization, body: new URLSearchParams(params).toString() });
}
const own = (): string => formatBasicCredentials('payments', scene.secret);

describe('a token of a trusted issuer', () => {
  it.each<[string, string]>([
    ['jwt', TOKEN_TYPE.jwt],
    ['id_token', TOKEN_TYPE.idToken],
  ])('is exchanged for a token of the client that it says, as %s', async (_what, type) => {
    const answer = jsonOf(await exchange(federation.assertion(), { subject_token_type: type }));
    expect(answer).toMatchObject({
      issued_token_type: TOKEN_TYPE.accessToken,
      token_type: 'Bearer',
      scope: 'fraud:read fraud:write',
      // With its own end, not that of the resource server's tokens.
      expires_in: 300,
    });
    const claims = claimsOf(answer.access_token);
    expect(claims).toMatchObject({ sub: 'payments', client_id: 'payments', crd: federation.credential.id });
    for (const name of ['act', 'via']) expect(claims).not.toHaveProperty(name);
    const told = jsonOf(await scene.about('/oauth/introspect', answer.access_token));
    expect(told).toMatchObject({ active: true, sub: 'payments' });
  });

  it('may come with the proof of the same client, and with no other', async () => {
    expect((await exchange(federation.assertion(), {}, own())).status).toBe(200);
    const other = await addParty(scene, 'billing');
    expect(jsonOf(await exchange(federation.assertion(), {}, other.authorization))).toMatchObject({
      error: 'invalid_request',
    });
    expect(jsonOf(await exchange(federation.assertion(), { client_id: 'billing' }))).toMatchObject({
      error: 'invalid_request',
    });
  });

  it.each<[string, object, string]>([
    ['of an issuer that is not trusted', { iss: 'https://other.test' }, 'assertion_issuer_unknown'],
    ['of an issuer with a NUL in its name', { iss: 'https://other.test\0' }, 'assertion_issuer_unknown'],
    ['for another authority', { aud: 'https://other.test' }, 'assertion_audience'],
    ['that has expired', { exp: SECONDS - 100 }, 'assertion_expired'],
    ['that fails a rule', { environment: 'test' }, 'assertion_condition_not_met'],
    ['of somebody else', { sub: 'other' }, 'assertion_no_rule'],
  ])('is refused %s, and the log says why', async (_what, claims, reason) => {
    expect(jsonOf(await exchange(federation.assertion(claims)))).toEqual({
      error: 'invalid_request',
      error_description: 'the subject token is not acceptable',
    });
    const [told] = scene.strangers;
    expect(told?.event.reason).toBe('subject_token_not_trusted');
    expect(JSON.parse(told?.event.detail ?? '{}')).toMatchObject({ assertion: reason });
  });

  it('is used up where its issuer says so, whatever grant it comes by', async () => {
    await scene.close();
    scene = await openTokenScene();
    federation = await addFederation(scene, { issuer: { singleUse: true } });
    const once = federation.assertion();
    expect((await exchange(once)).status).toBe(200);
    expect((await exchange(once)).status).toBe(400);
    const params = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: once };
    const body = new URLSearchParams(params).toString();
    expect((await scene.ask('', { authorization: null, body })).status).toBe(400);
  });

  it('has no actor', async () => {
    const { access_token: actor } = jsonOf(await scene.ask());
    const change = { actor_token: actor, actor_token_type: TOKEN_TYPE.accessToken };
    expect(jsonOf(await exchange(federation.assertion(), change))).toMatchObject({
      error_description: 'the actor token is not acceptable',
    });
  });

  it('is no access token, and a token of this authority is no proof of who asks', async () => {
    const foreign = { subject_token_type: TOKEN_TYPE.accessToken };
    expect((await exchange(federation.assertion(), foreign)).status).toBe(401);
    expect(jsonOf(await exchange(federation.assertion(), foreign, own()))).toMatchObject({
      error: 'invalid_request',
    });
    const { access_token: token } = jsonOf(await scene.ask());
    for (const type of [TOKEN_TYPE.jwt, TOKEN_TYPE.idToken, TOKEN_TYPE.accessToken])
      expect((await exchange(token, { subject_token_type: type })).status).toBe(401);
  });

  it('gives nothing that outlives it', async () => {
    scene.clock.set(NOW + 295_000);
    expect(jsonOf(await exchange(federation.assertion()))).toMatchObject({ expires_in: 5 });
  });
});
