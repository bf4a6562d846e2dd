import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, send } from './wire/exchange.ts';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { type FederationScene, openFederation } from './wire/federation.ts';
import { accessBody, resourceServerBody } from './wire/admin.ts';
import { decodeJwt } from './wire/jwt.ts';
import { seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { basic, FORM, formBody } from './wire/token-request.ts';

// An issuer shaped like that of GitHub Actions: one for every repository there is. RFC 7523, with rules on immutable ids.
describe.runIf(mayStartServers())('workloads of GitHub Actions (needs the countersign command)', () => {
  let scene: FederationScene;
  let rule: { clientId: string; credentialId: string };

  beforeAll(async () => {
    scene = await openFederation({ kind: 'github_actions' });
    rule = await scene.letIn({
      repository_id: '456789',
      repository_owner_id: '123456',
      ref: 'refs/heads/main',
    });
  });
  afterAll(() => scene.close());

  /** What GitHub says of a push to main of octo-org/octo-repo. */
  function job(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      aud: scene.authority.target.issuer,
      sub: 'repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main',
      repository: 'octo-org/octo-repo',
      repository_id: '456789',
      repository_owner: 'octo-org',
      repository_owner_id: '123456',
      repository_visibility: 'private',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      ref_protected: 'true',
      event_name: 'push',
      runner_environment: 'github-hosted',
      run_id: '1',
      run_attempt: '1',
      actor_id: '12',
      ...change,
    };
  }

  test('the right repository and branch get a token of their identity', async () => {
    const { token, scopes } = expectToken(await scene.ask(scene.foreign.token(job())));
    expect(decodeJwt(token).claims).toMatchObject({
      sub: rule.clientId,
      client_id: rule.clientId,
      aud: scene.resource,
      crd: rule.credentialId,
    });
    expect(scopes).toEqual(['read', 'write']);
  });

  test('the token endpoint is an audience too', async () => {
    const token = scene.foreign.token(job({ aud: scene.authority.target.tokenEndpoint }));
    expectToken(await scene.ask(token));
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'a look-alike of the same name with another id',
      { repository_id: '999999' },
      'assertion_no_rule',
      /repository_id = 999999, repository_owner_id = 123456/,
    ],
    [
      'a repository that took over the name, with another owner',
      { repository_owner_id: '666666' },
      'assertion_no_rule',
      /repository_owner_id = 666666/,
    ],
    [
      'a repository whose name only begins alike',
      { repository: 'octo-org/octo-repo-evil', repository_id: '4567890' },
      'assertion_no_rule',
      /repository_id = 4567890/,
    ],
    [
      'a pull request',
      { ref: 'refs/pull/7/merge', event_name: 'pull_request', sub: 'repo:octo-org/octo-repo:pull_request' },
      'assertion_condition_not_met',
      /wants ref to be "refs\/heads\/main"; it is "refs\/pull\/7\/merge"/,
    ],
    [
      'a branch whose name only begins alike',
      { ref: 'refs/heads/main-2' },
      'assertion_condition_not_met',
      /it is "refs\/heads\/main-2"/,
    ],
    [
      'an id that is a number and not a text',
      { repository_id: 456789 },
      'assertion_no_rule',
      /repository_id = \(not in the token\)/,
    ],
    ['a ref that is a list', { ref: ['refs/heads/main'] }, 'assertion_condition_not_met', /not text/],
    ['a missing ref', { ref: null }, 'assertion_condition_not_met', /it is not in the token/],
    ['a missing audience', { aud: null }, 'assertion_audience', /Its aud is \(none\)/],
    ["GitHub's default audience", { aud: 'https://github.com/octo-org' }, 'assertion_audience', /octo-org/],
    ['no audience in the list', { aud: [] }, 'assertion_audience', /Its aud is \[\]/],
  ])('refused: %s', async (_what, change, reason, why) => {
    const told = await scene.refusal(scene.foreign.token(job(change)));
    expect(told.reason).toBe(reason);
    expect(told.why).toMatch(why);
  });

  test('refused: an audience beside the right one', async () => {
    const aud = [scene.authority.target.issuer, 'https://vault.example'];
    const told = await scene.refusal(scene.foreign.token(job({ aud })));
    expect(told.reason).toBe('assertion_audience');
  });

  test('refused: a token for the second time', async () => {
    const token = scene.foreign.token(job());
    expectToken(await scene.ask(token));
    expect((await scene.refusal(token)).reason).toBe('assertion_replayed');
  });

  test('of a hundred at the same time with one token exactly one wins', async () => {
    const token = scene.foreign.token(job());
    const answers = await Promise.all(Array.from({ length: 100 }, () => scene.ask(token)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status !== 200 && status !== 400)).toEqual([]);
  });

  test('refused: a stale token, an expired one, one of the future', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const [claims, reason] of [
      [{ iat: now - 1000, exp: now + 300 }, 'assertion_stale'],
      [{ exp: now - 61 }, 'assertion_expired'],
      [{ iat: now + 61, nbf: now + 61 }, 'assertion_not_yet_valid'],
    ] as const) {
      expect((await scene.refusal(scene.foreign.token(job(claims)))).reason).toBe(reason);
    }
  });

  test('clocks that differ by ten seconds are no reason', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const claims of [{ iat: now + 10, nbf: now + 10 }, { exp: now - 10 }]) {
      expectToken(await scene.ask(scene.foreign.token(job(claims))));
    }
  });

  test('a rule without the ids of repository and owner is not made, and the answer says which are missing', async () => {
    const identity = String((await scene.admin.must('GET', `/identities/${rule.clientId}`))['id']);
    const answer = await scene.admin.call('POST', `/identities/${identity}/credentials`, {
      body: {
        type: 'federated',
        trusted_issuer: scene.foreign.issuer,
        conditions: { repository: 'octo-org/octo-repo', ref: 'refs/heads/main' },
      },
    });
    expect(JSON.stringify(expectProblem(answer, [403, 409, 422]))).toMatch(
      /repository_id and repository_owner_id/,
    );
  });

  test('a dry run names the rule and the first claim that differs, and uses nothing up', async () => {
    const test = async (assertion: string) =>
      await scene.admin.must('POST', '/trusted-issuers/test', { assertion });
    const good = scene.foreign.token(job());
    expect(await test(good)).toMatchObject({
      accepted: true,
      reason: null,
      client_id: rule.clientId,
      rules: [{ credential: rule.credentialId, met: true }],
    });
    expect(await test(scene.foreign.token(job({ ref: 'refs/heads/dev' })))).toMatchObject({
      accepted: false,
      reason: 'assertion_condition_not_met',
      client_id: null,
      rules: [{ met: false, claim: 'ref', expected: 'refs/heads/main', actual: 'refs/heads/dev' }],
    });
    expectToken(await scene.ask(good));
    expect(scene.authority.log()).not.toContain(good);
  });

  test('two identities with rules that one token meets: neither gets a token', async () => {
    const conditions = { repository_id: '17', repository_owner_id: '18' };
    const [one, other] = [await scene.letIn(conditions), await scene.letIn(conditions)];
    const told = await scene.refusal(scene.foreign.token(job(conditions)));
    expect(told.reason).toBe('assertion_ambiguous');
    expect(told.why).toContain(one.clientId);
    expect(told.why).toContain(other.clientId);
    await scene.admin.change('DELETE', `/credentials/${other.credentialId}`);
    const { token } = expectToken(await scene.ask(scene.foreign.token(job(conditions))));
    expect(decodeJwt(token).claims['sub']).toBe(one.clientId);
  });

  test('a suspended issuer is not believed, and its rules hold again when it is resumed', async () => {
    const path = `/trusted-issuers/${scene.trustedIssuerId}`;
    expect((await scene.admin.change('PATCH', path, { state: 'suspended' })).status).toBe(200);
    expect((await scene.refusal(scene.foreign.token(job()))).reason).toBe('assertion_issuer_suspended');
    expect((await scene.admin.change('PATCH', path, { state: 'active' })).status).toBe(200);
    expectToken(await scene.ask(scene.foreign.token(job())));
  });

  test('suspending cuts off what was issued, within seconds; resumed, its rules give good tokens again', async () => {
    const { target } = scene.authority;
    const asker = await seedScene('asks', target);
    await scene.admin.must('POST', '/resource-servers', {
      ...resourceServerBody(`${scene.resource}/asked`, ['read', 'tokens:introspect']),
    });
    const other = await scene.letIn({ repository_id: '31', repository_owner_id: '32' });
    const job31 = (): string => scene.foreign.token(job({ repository_id: '31', repository_owner_id: '32' }));
    await scene.admin.must(
      'POST',
      '/access',
      accessBody(other.clientId, `${scene.resource}/asked`, ['read']),
    );
    const held = accessBody(asker.client.id, `${scene.resource}/asked`, ['tokens:introspect']);
    await scene.admin.must('POST', '/access', held);
    const issued = async () =>
      expectToken(await scene.ask(job31(), { resource: `${scene.resource}/asked` })).token;
    const active = async (token: string): Promise<unknown> =>
      jsonOf(
        await send(`${target.issuer}/oauth/introspect`, {
          method: 'POST',
          ca: target.ca,
          headers: [
            ['Content-Type', FORM],
            ['Authorization', basic(asker.client)],
          ],
          body: formBody({ token }),
        }),
      )['active'];
    const before = await issued();
    expect(await active(before)).toBe(true);
    const path = `/trusted-issuers/${scene.trustedIssuerId}`;
    const answer = await scene.admin.change('PATCH', path, { state: 'suspended' });
    expect(Number(jsonOf(answer)['cut_off'])).toBeGreaterThan(1);
    await expect.poll(() => active(before), { timeout: 2000 }).toBe(false);
    const feed = await send(`${target.issuer}/oauth/cutoffs?after=0&wait=0`, { ca: target.ca });
    expect(decodeJwt(feed.text).claims['entries']).toContainEqual(
      expect.objectContaining({ kind: 'credential', id: other.credentialId }),
    );
    await scene.admin.change('PATCH', path, { state: 'active' });
    expect(await active(before)).toBe(false);
    await expect
      .poll(async () => await active(await issued()), { timeout: 10_000, interval: 500 })
      .toBe(true);
  });

  test('an issuer with rules is not deleted', async () => {
    expectProblem(await scene.admin.change('DELETE', `/trusted-issuers/${scene.trustedIssuerId}`), 409);
  });

  test('its metadata and keys were fetched once each for all of this', async () => {
    expect(scene.foreign.asked.toSorted()).toEqual(['/.well-known/openid-configuration', '/jwks']);
    const metadata = jsonOf(
      await send(`${scene.authority.target.issuer}/.well-known/oauth-authorization-server`, {
        ca: scene.authority.target.ca,
      }),
    );
    expect(metadata['grant_types_supported']).toContain('urn:ietf:params:oauth:grant-type:jwt-bearer');
  });
});
