import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { type FederationScene, openFederation } from './wire/federation.ts';
import { decodeJwt } from './wire/jwt.ts';
import { mayStartServers } from './wire/target.ts';

const NAMESPACE = '/kubernetes.io/namespace';
const UID = '/kubernetes.io/serviceaccount/uid';
const ACCOUNT = '6f1c2a9e-0d3b-4d52-8f5e-3a1f6f0f9a11';

// An issuer shaped like a cluster: service accounts with projected tokens, and claims inside claims. RFC 7523.
describe.runIf(mayStartServers())('service accounts of Kubernetes (needs the countersign command)', () => {
  let scene: FederationScene;
  let rule: { clientId: string; credentialId: string };

  beforeAll(async () => {
    scene = await openFederation({ kind: 'kubernetes' });
    rule = await scene.letIn({ [NAMESPACE]: 'pay', [UID]: ACCOUNT });
  });
  afterAll(() => scene.close());

  /** What a projected volume holds. */
  function projected(
    account: Readonly<Record<string, unknown>> = {},
    change: Readonly<Record<string, unknown>> = {},
  ): string {
    const now = Math.floor(Date.now() / 1000);
    return scene.foreign.token({
      aud: [scene.authority.target.issuer],
      sub: 'system:serviceaccount:pay:api',
      iat: now - 60,
      nbf: now - 60,
      // The default of the API server: the token says a year, the pod gets another one within the hour.
      exp: now + 31_536_000,
      'kubernetes.io': {
        namespace: 'pay',
        node: { name: 'node-1', uid: 'c0ffee00-0000-4000-8000-000000000000' },
        pod: { name: 'api-7', uid: 'c0ffee00-0000-4000-8000-000000000001' },
        serviceaccount: { name: 'api', uid: ACCOUNT },
        warnafter: now + 3547,
        ...account,
      },
      ...change,
    });
  }

  test('the right account gets a token, as often as the pod reads its file', async () => {
    const file = projected();
    for (let i = 0; i < 3; i++) {
      expect(decodeJwt(expectToken(await scene.ask(file)).token).claims['sub']).toBe(rule.clientId);
    }
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'an account that was made again under its name',
      { serviceaccount: { name: 'api', uid: '00000000-0000-4000-8000-000000000000' } },
      'assertion_no_rule',
      /serviceaccount\/uid = 00000000/,
    ],
    [
      'the same account name in another namespace',
      { namespace: 'dev' },
      'assertion_no_rule',
      /namespace = dev/,
    ],
    ['a namespace that only begins alike', { namespace: 'pay-evil' }, 'assertion_no_rule', /pay-evil/],
    ['no account', { serviceaccount: null }, 'assertion_no_rule', /not in the token/],
    ['an account in a list', { serviceaccount: [{ uid: ACCOUNT }] }, 'assertion_no_rule', /not in the token/],
  ])('refused: %s', async (_what, account, reason, why) => {
    const told = await scene.refusal(projected(account));
    expect(told.reason).toBe(reason);
    expect(told.why).toMatch(why);
  });

  test('refused: claims that stand outside with the dots in their names', async () => {
    const change = {
      'kubernetes.io': null,
      'kubernetes.io/namespace': 'pay',
      'kubernetes.io.serviceaccount.uid': ACCOUNT,
      [NAMESPACE]: 'pay',
      [UID]: ACCOUNT,
    };
    expect((await scene.refusal(projected({}, change))).reason).toBe('assertion_no_rule');
  });

  test('refused: the audience of the cluster itself, none, and one too many', async () => {
    for (const aud of [['https://kubernetes.default.svc'], null, [scene.authority.target.issuer, 'vault']]) {
      expect((await scene.refusal(projected({}, { aud }))).reason).toBe('assertion_audience');
    }
  });

  test('refused: the token of a Secret, which has no end and no audience', async () => {
    const legacy = { aud: null, iat: null, nbf: null, exp: null, jti: null };
    expect((await scene.refusal(projected({}, legacy))).reason).toBe('assertion_malformed');
  });

  test('refused: a token that says a year but was issued more than an hour ago', async () => {
    const now = Math.floor(Date.now() / 1000);
    const told = await scene.refusal(projected({}, { iat: now - 3700, nbf: now - 3700 }));
    expect(told.reason).toBe('assertion_stale');
    expect(told.why).toMatch(/may be 3600 s old/);
  });

  test('refused the second time, where each call gets a token of its own: single_use', async () => {
    const path = `/trusted-issuers/${scene.trustedIssuerId}`;
    expect((await scene.admin.change('PATCH', path, { single_use: true })).status).toBe(200);
    for (const token of [projected(), projected({}, { jti: null })]) {
      expectToken(await scene.ask(token));
      expect((await scene.refusal(token)).reason).toBe('assertion_replayed');
    }
    expect((await scene.admin.change('PATCH', path, { single_use: false })).status).toBe(200);
  });

  test('keys that are given by hand need no connection', async () => {
    const path = `/trusted-issuers/${scene.trustedIssuerId}`;
    const before = scene.foreign.asked.length;
    expect((await scene.admin.change('PATCH', path, { jwks: scene.foreign.jwks() })).status).toBe(200);
    expectToken(await scene.ask(projected()));
    const other = scene.foreign.token({ aud: scene.authority.target.issuer, sub: 'x' }, { kid: 'other' });
    expect((await scene.refusal(other)).reason).toBe('assertion_key_unknown');
    expect(scene.foreign.asked.length).toBe(before);
    expect((await scene.admin.change('PATCH', path, { jwks: null })).status).toBe(200);
  });

  test('a suspended identity, and a revoked rule', async () => {
    const other = await scene.letIn({ [NAMESPACE]: 'pay', [UID]: '1' });
    const token = () => projected({ serviceaccount: { uid: '1' } });
    await scene.admin.must('POST', `/identities/${other.clientId}/suspend`, { reason: 'test' });
    const told = await scene.refusal(token());
    expect(told.reason).toBe('assertion_rule_not_usable');
    expect(told.why).toContain('identity_suspended');
    await scene.admin.must('POST', `/identities/${other.clientId}/resume`, { reason: 'test' });
    await scene.admin.change('DELETE', `/credentials/${other.credentialId}`);
    expect((await scene.refusal(token())).reason).toBe('assertion_no_rule');
  });

  test('a rule without namespace and uid is not made', async () => {
    const answer = await scene.admin.call('POST', `/identities/${rule.clientId}/credentials`, {
      body: {
        type: 'federated',
        trusted_issuer: scene.trustedIssuerId,
        conditions: { sub: 'system:serviceaccount:pay:api', [NAMESPACE]: 'pay' },
      },
    });
    expect(JSON.stringify(expectProblem(answer, [403, 409, 422]))).toContain(UID);
  });
});
