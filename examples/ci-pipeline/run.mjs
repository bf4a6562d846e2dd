#!/usr/bin/env node
// A pipeline trades the token that its platform gives it for one that deploys; look-alikes get nothing, and are explained.
import { createClient, githubActionsToken } from '@countersign/client';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { DEPLOY, documents } from './authority.mjs';
import { PUSH, runJob } from './runner.mjs';

/** As a job would write it. @param {import('../stage/telling.mjs').Scene} scene @param {Record<string, string>} env */
const clientOf = ({ authority }, env) =>
  createClient({ ...authority, subjectToken: githubActionsToken(env), resource: DEPLOY });

/**
 * Jobs that are not a push to main of that repository, and what the operator is told of them.
 * @type {[who: string, claims: Record<string, string>, why: RegExp][]}
 */
const OTHERS = [
  ['a pull request', { ref: 'refs/pull/7/merge', event_name: 'pull_request' }, /wants ref to be/],
  ['a repository that has the name but not the id', { repository_id: '999999' }, /repository_id = 999999/],
  ['the same name under a new owner', { repository_owner_id: '666666' }, /repository_owner_id = 666666/],
];

await tell(documents(), async (scene) => {
  const api = await step('the deploy API is up', 'node deploy-api.mjs &', () =>
    scene.serve('ci-pipeline/deploy-api.mjs'),
  );
  await runJob(PUSH, async (env) => {
    const client = clientOf(scene, env);
    await step('a job on main deploys to staging: 200', "client.fetch(deploy + '/staging')", async () => {
      const response = await client.fetch(`${api}/staging`, { method: 'POST' });
      const answer = await response.json();
      expect('200', answer.deployed === 'staging', JSON.stringify(answer));
    });
    await step(
      'and not to production: 403 insufficient_scope',
      "client.fetch(deploy + '/prod')",
      async () => {
        const { status } = await client.fetch(`${api}/prod`, { method: 'POST' });
        expect('403', status === 403, `${status}`);
      },
    );
    await client.close();
  });
  for (const [who, claims, why] of OTHERS) {
    await runJob({ ...PUSH, ...claims }, async (env) => {
      const client = clientOf(scene, env);
      const refusal = await step(`${who} gets invalid_grant`, 'client.token()', async () => {
        const error = await client.token().catch((reason) => reason);
        expect('invalid_grant', error.error === 'invalid_grant', String(error.message ?? 'a token'));
        return error;
      });
      const explain = ['explain', refusal.requestId];
      await step('and the operator is told why', `npx --no -- countersign ${explain.join(' ')}`, async () => {
        const { code, out, err } = await scene.countersign(...explain);
        expect(`an explanation with ${why}`, code === 0 && why.test(out.replace(/\s+/g, ' ')), err || out);
      });
      await client.close();
    });
  }
});
