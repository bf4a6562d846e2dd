// A workload that comes with the token of a trusted issuer (RFC 7523 §2.1), and where it gets that from.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientScene } from '../../test/client-scene.ts';
import { listen } from '../../test/tiny-authority.ts';
import type { Client } from '../client.ts';
import type { ClientOptions } from '../options.ts';
import { subjectTokenFile } from './file.ts';
import { githubActionsToken } from './github-actions.ts';
import { gitlabToken } from './gitlab.ts';
import { kubernetesToken } from './kubernetes-service-account.ts';
import type { SubjectTokenSource } from './source.ts';

const scene = clientScene();
function clientOf(subjectToken: string | SubjectTokenSource, more: Partial<ClientOptions> = {}): Client {
  return scene.open({ subjectToken, ...more });
}
const assertions = (): (string | null)[] => scene.tiny.calls.map(({ form }) => form.get('assertion'));

describe('a subject token', () => {
  it('is the assertion of the grant, and there is no other proof', async () => {
    await clientOf('eyJ.a.b\n', { resource: 'https://fraud.example.com', scope: 'b a' }).token();
    const { headers, form } = scene.tiny.calls[0]!;
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: 'eyJ.a.b',
      resource: 'https://fraud.example.com',
      scope: 'a b',
    });
    expect(headers.authorization).toBeUndefined();
  });

  it('has the client_id beside it when one is given', async () => {
    await clientOf('eyJ', { clientId: 'deploy' }).token();
    expect(scene.tiny.calls[0]!.form.get('client_id')).toBe('deploy');
  });

  it('is asked for anew for each request and each attempt, and not while a token is kept', async () => {
    let times = 0;
    const client = clientOf(async ({ issuer }) => `${++times}:${issuer}`);
    scene.tiny.next.push({ status: 503 });
    const one = await client.token({ scope: 'a b' });
    expect(await client.token({ scope: 'b a' })).toBe(one);
    expect(await client.token({ scope: 'a' })).not.toBe(one);
    scene.now += 599;
    await client.token({ scope: 'a' });
    expect(assertions()).toEqual([1, 2, 3, 4].map((time) => `${time}:${scene.tiny.issuer}`));
  });

  it.each<[string, SubjectTokenSource]>([
    ['fails', () => Promise.reject(new Error('none'))],
    ['gives nothing', () => ''],
    ['gives more than a token', () => 'secret\nlines'],
    ['gives what is no text', () => 7 as unknown as string],
  ])('of a source that %s is not sent', async (_what, source) => {
    const error: unknown = await clientOf(source)
      .token()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'no_subject_token' });
    expect(String(error)).not.toContain('secret');
    expect(scene.tiny.calls).toEqual([]);
  });

  it('is no proof for exchange and introspection', async () => {
    const fault = { code: 'bad_option', option: 'subjectToken' };
    await expect(clientOf('eyJ').token({ subjectToken: 'cot_x' })).rejects.toMatchObject(fault);
    await expect(clientOf('eyJ').introspect('cot_x')).rejects.toMatchObject(fault);
  });
});

describe('the token of', () => {
  it('a file is read afresh, so that a rotated one is used', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-subject-'));
    const path = join(folder, 'token');
    for (const source of [subjectTokenFile(path), kubernetesToken(path)]) {
      const client = clientOf(source);
      for (const text of ['first', 'second']) {
        writeFileSync(path, `${text}\n`);
        await client.token({ scope: text });
      }
    }
    rmSync(folder, { recursive: true });
    expect(assertions()).toEqual(['first', 'second', 'first', 'second']);
    await expect(clientOf(subjectTokenFile(path)).token()).rejects.toMatchObject({
      code: 'no_subject_token',
    });
  });

  it('GitLab is a variable', async () => {
    await clientOf(gitlabToken('COUNTERSIGN_TOKEN', { COUNTERSIGN_TOKEN: 'eyJ' })).token();
    expect(assertions()).toEqual(['eyJ']);
    const without = clientOf(gitlabToken('COUNTERSIGN_TOKEN', {})).token();
    await expect(without).rejects.toMatchObject({ code: 'no_subject_token' });
  });

  it('GitHub is asked for with the issuer as its audience, and again when its service is down', async () => {
    const asked: { url: string | undefined; authorization: string | undefined }[] = [];
    const runner = await listen(({ url, headers }, response) => {
      asked.push({ url, authorization: headers.authorization });
      response.statusCode = asked.length === 1 ? 503 : asked.length === 2 ? 200 : 403;
      response.end(JSON.stringify({ value: 'eyJ' }));
    });
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${runner.base}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
    };
    const client = clientOf(githubActionsToken(env));
    await client.token();
    expect(assertions()).toEqual(['eyJ']);
    const url = `/token?api-version=2.0&audience=${encodeURIComponent(scene.tiny.issuer)}`;
    expect(asked).toEqual([1, 2].map(() => ({ url, authorization: 'Bearer runner' })));
    await expect(client.token({ scope: 'x' })).rejects.toMatchObject({ code: 'no_subject_token' });
    await runner.close();
  });

  it.each([
    ['no_subject_token', {}],
    [
      'insecure_url',
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://runner.example', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' },
    ],
  ])('GitHub is not asked for: %s', async (code, env) => {
    await expect(clientOf(githubActionsToken(env)).token()).rejects.toMatchObject({ code });
  });
});
