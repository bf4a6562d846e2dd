import { decodeJwt } from 'jose';
import { beforeEach, expect, it } from 'vitest';
import { clientScene, NOW } from '../test/client-scene.ts';
import { generateKeyPairSync } from 'node:crypto';
import { fetchBounded, WHOLE_EXCHANGE, type WholeExchange } from '@countersign/protocol/discovery';
import { createAuthorityClock } from './authority-clock.ts';

const scene = clientScene();
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
beforeEach(() => {
  scene.tiny.metadata['token_endpoint_auth_methods_supported'] = ['private_key_jwt'];
});
const dated = (seconds: number): string => new Date(seconds * 1000).toUTCString();

const assertion = (call: number): Record<string, unknown> =>
  decodeJwt(scene.tiny.calls[call]?.form.get('client_assertion') ?? '');

it('dates the first assertion of a machine whose clock is years behind by the authority’s', async () => {
  const clock = (): number => 1000;
  scene.tiny.tokenType = 'DPoP';
  const client = scene.open({ clientId: 'payments', privateKey, clock, dpop: privateKey });
  const { expiresAt } = await client.token();
  expect(assertion(0)).toMatchObject({ iat: NOW, exp: NOW + 60 });
  expect(decodeJwt(String(scene.tiny.calls[0]?.headers['dpop']))).toMatchObject({ iat: NOW });
  // Kept by the machine's own clock.
  expect(expiresAt).toBe(1000 + scene.tiny.lifetime);
});

it('follows the authority when its clock is set', async () => {
  const clock = (): number => NOW;
  const client = scene.open({ clientId: 'payments', privateKey, clock });
  scene.now = NOW + 100;
  await client.token();
  scene.now = NOW + 1;
  await client.token({ scope: 'other' });
  await client.token({ scope: 'third' });
  expect([assertion(0)['iat'], assertion(2)['iat']]).toEqual([NOW + 100, NOW]);
});

async function told(date: string | undefined, headers = {}, delay = 0): Promise<number> {
  let now = NOW;
  const clock = createAuthorityClock(() => now);
  await clock.watch(async () => {
    now += delay;
    return new Response('', { headers: { ...headers, ...(date === undefined ? {} : { date }) } });
  })('https://auth.example');
  return clock.now() - now;
}

it('leaves small differences, slow answers and what a cache says alone', async () => {
  expect(await told(dated(NOW + 5))).toBe(0);
  expect(await told(dated(NOW - 5))).toBe(0);
  expect(await told(dated(NOW + 6))).toBe(6);
  expect(await told(dated(NOW - 6))).toBe(-6);
  expect(await told(dated(NOW + 30), {}, 60)).toBe(0);
  expect(await told(dated(NOW - 600), { age: '600' })).toBe(0);
  expect(await told('yesterday')).toBe(0);
  expect(await told(undefined)).toBe(0);
});

it('is told by whole exchanges too', async () => {
  const clock = createAuthorityClock(() => NOW);
  const exchange: WholeExchange = async () => ({
    status: 200,
    headers: new Headers({ date: dated(NOW + 100) }),
    body: new Uint8Array(),
  });
  const fetch = clock.watch(Object.assign(globalThis.fetch.bind(globalThis), { [WHOLE_EXCHANGE]: exchange }));
  await fetchBounded('https://auth.example', { fetch, timeoutMs: 1000, maxBytes: 10 });
  expect(clock.now()).toBe(NOW + 100);
});
