import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientScene, failure } from '../test/client-scene.ts';
import { listen } from '../test/tiny-authority.ts';

const scene = clientScene();

describe('fetch', () => {
  interface ApiCall {
    authorization: string | undefined;
    body: string;
    custom: string | undefined;
  }
  const calls: ApiCall[] = [];
  let api: { base: string; close(): Promise<void> };
  let statuses: number[] = [];
  let refused: string | undefined;
  beforeEach(async () => {
    calls.length = 0;
    statuses = [];
    refused = undefined;
    api = await listen((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        const custom = request.headers['x-custom'];
        calls.push({ authorization: request.headers.authorization, body, custom: String(custom) });
        const status = request.headers.authorization === refused ? 401 : (statuses.shift() ?? 200);
        response.writeHead(status).end('done');
      })();
    });
  });
  afterEach(() => api.close());

  it('sends the token and keeps what the caller gave', async () => {
    const client = scene.withSecret();
    const response = await client.fetch(`${api.base}/cases`, {
      method: 'POST',
      body: 'x=1',
      headers: { 'X-Custom': 'y', authorization: 'Basic other' },
    });
    expect(await response.text()).toBe('done');
    const { accessToken } = await client.token();
    expect(calls).toEqual([{ authorization: `Bearer ${accessToken}`, body: 'x=1', custom: 'y' }]);
  });

  it('comes back once with a new token after a 401', async () => {
    const client = scene.withSecret();
    const old = await client.token();
    scene.now += 10;
    statuses = [401];
    const response = await client.fetch(api.base, { method: 'POST', body: 'x=1' });
    expect(response.status).toBe(200);
    expect(calls.map(({ body }) => body)).toEqual(['x=1', 'x=1']);
    expect(calls[0]?.authorization).toBe(`Bearer ${old.accessToken}`);
    expect(calls[1]?.authorization).toBe(`Bearer ${(await client.token()).accessToken}`);
    expect(scene.tiny.calls).toHaveLength(2);
    scene.now += 10;
    statuses = [401, 401, 401];
    expect((await client.fetch(api.base)).status).toBe(401);
    expect(calls).toHaveLength(4);
  });

  it('does not come back with a token that is only seconds old, nor with a body that is gone', async () => {
    const client = scene.withSecret();
    statuses = [401, 401];
    expect((await client.fetch(api.base)).status).toBe(401);
    expect(scene.tiny.calls).toHaveLength(1);
    scene.now += 10;
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('x'));
        controller.close();
      },
    });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expect((await client.fetch(api.base, init)).status).toBe(401);
    expect(calls).toHaveLength(2);
  });

  it('comes back with a new token also after its clock was set back', async () => {
    const client = scene.withSecret();
    await client.token();
    scene.now -= 60;
    statuses = [401];
    expect((await client.fetch(api.base)).status).toBe(200);
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('uses no token for longer because its clock was set back', async () => {
    const client = scene.withSecret();
    const old = await client.token();
    scene.now -= 86_400;
    expect((await client.token()).accessToken).not.toBe(old.accessToken);
  });

  it('asks for one new token when many calls get a 401', async () => {
    const client = scene.withSecret();
    refused = `Bearer ${(await client.token()).accessToken}`;
    scene.now += 10;
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.fetch(api.base)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(scene.tiny.calls).toHaveLength(2);
  });

  it('asks for the resource and scope of the call', async () => {
    await scene
      .withSecret({ resource: 'urn:a' })
      .fetch(api.base, undefined, { resource: 'urn:b', scope: 's' });
    expect(scene.tiny.calls[0]?.form.get('resource')).toBe('urn:b');
    expect(scene.tiny.calls[0]?.form.get('scope')).toBe('s');
  });

  it('sends no token without encryption', async () => {
    expect(await failure(scene.withSecret().fetch('http://api.example.com/'))).toMatchObject({
      code: 'insecure_url',
    });
    expect(await failure(scene.withSecret().fetch('ftp://localhost/'))).toMatchObject({
      code: 'insecure_url',
    });
    expect(scene.tiny.calls).toHaveLength(0);
  });
});
