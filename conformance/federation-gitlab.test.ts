import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { explained, type FederationScene, JWT_BEARER, openFederation } from './wire/federation.ts';
import { decodeJwt } from './wire/jwt.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// An issuer shaped like an instance of GitLab: one for every project, pipelines of forks among them. RFC 7523.
describe.runIf(mayStartServers())('pipelines of GitLab (needs the countersign command)', () => {
  let scene: FederationScene;
  let rule: { clientId: string; credentialId: string };

  beforeAll(async () => {
    scene = await openFederation({ kind: 'gitlab' });
    rule = await scene.letIn({
      project_id: '4711',
      namespace_id: '72',
      job_project_id: '4711',
      ref: 'main',
      ref_type: 'branch',
      ref_protected: 'true',
    });
  });
  afterAll(() => scene.close());

  /** What GitLab says of a job on the protected branch main of pay/api: ids are texts, runner_id is a number. */
  function job(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      aud: scene.authority.target.issuer,
      sub: 'project_path:pay/api:ref_type:branch:ref:main',
      namespace_id: '72',
      namespace_path: 'pay',
      project_id: '4711',
      project_path: 'pay/api',
      job_namespace_id: '72',
      job_namespace_path: 'pay',
      job_project_id: '4711',
      job_project_path: 'pay/api',
      user_id: '1',
      user_login: 'ada',
      user_access_level: 'maintainer',
      pipeline_id: '574',
      pipeline_source: 'push',
      job_id: '302',
      ref: 'main',
      ref_type: 'branch',
      ref_path: 'refs/heads/main',
      ref_protected: 'true',
      runner_id: 1,
      runner_environment: 'gitlab-hosted',
      sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
      project_visibility: 'private',
      ci_config_ref_uri: 'gitlab.example/pay/api//.gitlab-ci.yml@refs/heads/main',
      ...change,
    };
  }

  test('the right project and branch get a token of their identity', async () => {
    const { token, scopes } = expectToken(await scene.ask(scene.foreign.token(job())));
    expect(decodeJwt(token).claims).toMatchObject({
      sub: rule.clientId,
      client_id: rule.clientId,
      aud: scene.resource,
      crd: rule.credentialId,
    });
    expect(scopes).toEqual(['read', 'write']);
  });

  test('a path that was renamed is the same project: ids count, names do not', async () => {
    const renamed = {
      project_path: 'billing/api',
      namespace_path: 'billing',
      sub: 'project_path:billing/api',
    };
    expectToken(await scene.ask(scene.foreign.token(job(renamed))));
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'a look-alike at the same path with another id',
      { project_id: '9999' },
      'assertion_no_rule',
      /namespace_id = 72, project_id = 9999/,
    ],
    [
      'a project whose path only begins alike',
      { project_path: 'pay/api-evil', project_id: '47110' },
      'assertion_no_rule',
      /project_id = 47110/,
    ],
    [
      'a project that moved to another namespace',
      { namespace_id: '666', namespace_path: 'pay' },
      'assertion_no_rule',
      /namespace_id = 666/,
    ],
    [
      'a project id that is a number and not a text',
      { project_id: 4711 },
      'assertion_no_rule',
      /project_id = \(not in the token\)/,
    ],
    [
      'a merge request',
      {
        ref: 'refs/merge-requests/7/merge',
        ref_path: 'refs/merge-requests/7/merge',
        ref_protected: 'false',
        pipeline_source: 'merge_request_event',
      },
      'assertion_condition_not_met',
      /wants ref to be "main"; it is "refs\/merge-requests\/7\/merge"/,
    ],
    [
      'a merge request of a fork, whose job runs in the fork',
      { job_project_id: '5000', job_namespace_id: '80', job_project_path: 'eve/api' },
      'assertion_condition_not_met',
      /wants job_project_id to be "4711"; it is "5000"/,
    ],
    [
      'a branch that is not protected',
      { ref_protected: 'false' },
      'assertion_condition_not_met',
      /wants ref_protected to be "true"; it is "false"/,
    ],
    ['protection that is no text', { ref_protected: true }, 'assertion_condition_not_met', /not text/],
    [
      'a tag of the same name',
      { ref_type: 'tag', ref_path: 'refs/tags/main' },
      'assertion_condition_not_met',
      /wants ref_type to be "branch"; it is "tag"/,
    ],
    ['a missing audience', { aud: null }, 'assertion_audience', /Its aud is \(none\)/],
    ['the audience of somebody else', { aud: 'https://vault.example' }, 'assertion_audience', /vault/],
    ['the instance itself as audience', { aud: 'https://gitlab.example' }, 'assertion_audience', /gitlab/],
  ])('refused: %s', async (_what, change, reason, why) => {
    const told = await scene.refusal(scene.foreign.token(job(change)));
    expect(told.reason).toBe(reason);
    expect(told.why).toMatch(why);
  });

  test('refused: a token for the second time', async () => {
    const token = scene.foreign.token(job());
    expectToken(await scene.ask(token));
    expect((await scene.refusal(token)).reason).toBe('assertion_replayed');
  });

  test('a job may run for an hour with its token; refused: a stale one, an expired one', async () => {
    const now = Math.floor(Date.now() / 1000);
    expectToken(await scene.ask(scene.foreign.token(job({ iat: now - 3500, nbf: now - 3505 }))));
    const stale = await scene.refusal(scene.foreign.token(job({ iat: now - 3700, exp: now + 300 })));
    expect(stale).toMatchObject({ reason: 'assertion_stale', why: expect.stringContaining('3600 s old') });
    const over = await scene.refusal(scene.foreign.token(job({ exp: now - 61 })));
    expect(over.reason).toBe('assertion_expired');
  });

  test('a noisy pipeline is explained beyond the twenty of a stranger, and takes none of theirs', async () => {
    const { target } = scene.authority;
    const from = (assertion: string) =>
      askToken({ target, params: { grant_type: JWT_BEARER, assertion }, localAddress: '127.0.0.251' });
    let noisy = await from(scene.foreign.token(job({ ref: 'dev' })));
    for (let i = 0; i < 29; i++) noisy = await from(scene.foreign.token(job({ ref: 'dev' })));
    const told = await explained(scene.admin, String(noisy.headers['request-id']));
    expect(told['why']).toMatch(/wants ref to be "main"; it is "dev"/);
    const stranger = await from('eyJhbGciOiJSUzI1NiJ9.e30.AAAA');
    expect(stranger.text).toBe(noisy.text);
    const said = await explained(scene.admin, String(stranger.headers['request-id']));
    expect((said['events'] as { reason: string }[])[0]?.reason).toBe('assertion_malformed');
  });

  test('a rule without the ids of project and namespace is not made, and the answer says which are missing', async () => {
    const identity = String((await scene.admin.must('GET', `/identities/${rule.clientId}`))['id']);
    const answer = await scene.admin.call('POST', `/identities/${identity}/credentials`, {
      body: {
        type: 'federated',
        trusted_issuer: scene.foreign.issuer,
        conditions: { project_path: 'pay/api', ref: 'main' },
      },
    });
    expect(JSON.stringify(expectProblem(answer, [403, 409, 422]))).toMatch(/project_id and namespace_id/);
  });
});
