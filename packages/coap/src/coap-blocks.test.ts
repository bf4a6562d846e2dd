// Bodies larger than one datagram, from libcoap's client: RFC 7959 §2.5.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENTS, codesIn, LIBCOAP, runCoap } from '../test/coap-client.ts';
import { type CoapScene, openCoapScene } from '../test/coap-scene.ts';

const CHANGED = 0x44;
const textOf = (length: number): string =>
  Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join('');
const LARGE = textOf(3000);

describe.runIf(LIBCOAP)('a large body of libcoap (needs libcoap3-bin)', () => {
  let scene: CoapScene;
  const served: string[] = [];
  afterAll(() => scene?.stop());
  const writer = async (): Promise<Awaited<ReturnType<CoapScene['authority']['token']>>> => {
    const token = await scene.authority.token(await scene.authority.device('writer', ['lock:write']));
    expect(codesIn(await scene.upload(token.token))).toContain('2.01');
    return token;
  };
  const put = (text: string, ...more: string[]): string[] => ['-B', '5', '-m', 'put', '-e', text, ...more];

  describe('where a function serves', () => {
    beforeAll(async () => {
      await scene?.stop();
      scene = await openCoapScene({
        upstream: ({ method, payload }) => {
          served.push(`${method} ${Buffer.from(payload).toString()}`);
          return { code: CHANGED };
        },
      });
    }, 60_000);

    it.each(CLIENTS)('is given to it whole, once (%s)', async (client) => {
      const token = await writer();
      for (const blocks of [['-b', '64'], []]) {
        const { out } = await scene.request(client, token, '/example_data', put(LARGE, ...blocks)).ended;
        expect(codesIn(out).at(-1)).toBe('2.04');
        expect(served.splice(0)).toEqual([`PUT ${LARGE}`]);
      }
    });

    it('is refused with 4.13 beyond 64 KiB', async () => {
      const run = scene.request(CLIENTS[0], await writer(), '/example_data', put(textOf(70_000)));
      expect(codesIn((await run.ended).out)).toContain('4.13');
      expect(served).toEqual([]);
    });

    it.each(['32', '256'])('may be a token that is brought without DTLS, in blocks of %s', async (size) => {
      const { token } = await scene.authority.token(await scene.authority.device('lamp', ['lock:read']));
      const url = `coap://127.0.0.1:${scene.plain}/authz-info`;
      const blocks = ['-m', 'post', '-t', '61', '-B', '5', '-v', '8', '-b', size, '-f', '-', url];
      const codes = codesIn((await runCoap('coap-client-notls', blocks, token).ended).out);
      expect([codes[0], codes.at(-1)]).toEqual(['2.31', '2.01']);
    });

    it('is looked at as one token where it is brought in the session', async () => {
      const more = ['-B', '5', '-m', 'post', '-t', '61', '-b', '64', '-e', 'x'.repeat(200)];
      const { out } = await scene.request(CLIENTS[0], await writer(), '/authz-info', more).ended;
      expect(codesIn(out)).toContain('4.00');
    });
  });

  describe('where a server is behind', () => {
    beforeAll(async () => {
      await scene?.stop();
      scene = await openCoapScene();
    }, 60_000);

    it('is between the client and that server', async () => {
      const token = await writer();
      const { out } = await scene.request(CLIENTS[0], token, '/example_data', put(LARGE, '-b', '256')).ended;
      expect(codesIn(out).at(-1)).toMatch(/^2\.0[14]$/);
      const read = await scene.request(CLIENTS[0], token, '/example_data').ended;
      expect(read.out.replaceAll('\n', '')).toContain(LARGE.slice(0, 200));
    });
  });
});
