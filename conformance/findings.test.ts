import { beforeAll, describe, expect, test } from 'vitest';
import { freshName, rememberSecret, seedScene, type SeededScene } from './wire/scene.ts';
import { expectProblem } from './wire/expectations.ts';
import { identityBody } from './wire/admin.ts';
import { makeKey } from './wire/client-assertion.ts';
import { currentTarget } from './wire/target.ts';

// What is wrong with an identity is found by itself, says what to do, and goes when it is done.
const target = currentTarget();
const WITHIN = { timeout: 30_000, interval: 250 };

describe.runIf(target.admin !== undefined)('findings (need the admin API)', () => {
  let scene: SeededScene;
  let clientId: string;
  let credential: string;
  beforeAll(async () => {
    scene = await seedScene('findings');
    clientId = freshName('weak');
    await scene.admin.must('POST', '/identities', {
      ...identityBody(clientId),
      client_id: clientId,
      environment: 'prod',
    });
    const made = await scene.admin.must('POST', `/identities/${clientId}/credentials`, {
      type: 'client_secret',
    });
    rememberSecret(target, String(made['secret']));
    credential = String(made['id']);
  });

  const listed = (query: string): Promise<Record<string, unknown>[]> =>
    scene.admin.all(`/findings?identity=${clientId}&${query}`);

  test('a secret in prod is found within seconds, with its reason and one command', async () => {
    await expect.poll(async () => (await listed('kind=weak_method&state=open')).length, WITHIN).toBe(1);
    const [finding] = await listed('kind=weak_method');
    expect(finding).toMatchObject({
      client_id: clientId,
      subject: { kind: 'credential', id: credential },
      state: 'open',
      fix: `countersign credentials create ${clientId} --type private_key_jwt --jwk-file public.jwk`,
    });
    expect(String(finding?.['reason'])).toContain('client_secret in prod');
  });

  test('it may be accepted for a time, by name, and never for ever', async () => {
    const [finding] = await listed('kind=weak_method');
    const accept = `/findings/${String(finding?.['id'])}/accept`;
    expectProblem(await scene.admin.call('POST', accept, { body: { reason: 'known' } }), 400);
    const never = { reason: 'known', until: '2099-01-01T00:00:00Z' };
    expectProblem(await scene.admin.call('POST', accept, { body: never }), 400);
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const accepted = await scene.admin.must('POST', accept, { reason: 'moves to keys', until });
    expect(accepted).toMatchObject({ state: 'accepted', accepted_reason: 'moves to keys' });
    expect(await listed('state=accepted')).toHaveLength(1);
  });

  test('when what is wrong is gone, so is the finding', async () => {
    await scene.admin.change('DELETE', `/credentials/${credential}`);
    await expect.poll(async () => (await listed('kind=weak_method&state=resolved')).length, WITHIN).toBe(1);
    expect(await listed('state=accepted')).toEqual([]);
  });

  test('threat 15: one public key of two clients is found with both', async () => {
    const { jwk } = makeKey('ES256');
    const names = [freshName('shares'), freshName('shares')];
    const made: string[] = [];
    for (const name of names) {
      await scene.admin.must('POST', '/identities', { ...identityBody(name), client_id: name });
      const body = { type: 'private_key_jwt', jwk };
      made.push(String((await scene.admin.must('POST', `/identities/${name}/credentials`, body))['id']));
    }
    const found = async (): Promise<string[]> => {
      const pages = await Promise.all(
        names.map((name) => scene.admin.all(`/findings?identity=${name}&kind=shared_key&state=open`)),
      );
      return pages.flat().map(({ subject }) => String((subject as { id: string }).id));
    };
    await expect.poll(found, WITHIN).toEqual(made);
    await scene.admin.change('DELETE', `/credentials/${made[1]}`);
    await expect.poll(found, WITHIN).toEqual([]);
  });
});
