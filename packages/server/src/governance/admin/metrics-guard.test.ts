import { expect, it } from 'vitest';
import type { HttpRequest } from '../../http/request.ts';
import { createMetricsGuard } from './metrics-guard.ts';

/** Nobody here brings a token, so nothing behind the guard is ever asked. */
function guardOf(behindProxy: boolean): ReturnType<typeof createMetricsGuard> {
  return createMetricsGuard({
    issuer: 'https://authority.example',
    adminResource: 'https://authority.example/v1',
    keystore: { verificationKey: () => undefined, reload: () => Promise.resolve() },
    ledger: { current: () => Promise.reject(new Error('not to be asked')) },
    facts: { byClientId: () => undefined },
    people: {
      trustedIssuers: {
        byId: () => Promise.reject(new Error('not to be asked')),
        ofPeople: () => Promise.reject(new Error('not to be asked')),
      },
    },
    storage: { usedOnce: { claim: () => Promise.reject(new Error('not to be asked')) } },
    clock: { now: () => 0 },
    behindProxy,
  });
}

function from(source: string): HttpRequest {
  const nothing = { rawHeaders: [], body: new Uint8Array(0) };
  return { ...nothing, method: 'GET', path: '/metrics', query: '', id: 'req_1', source };
}

it.each(['127.0.0.1', '127.9.9.9', '::1'])(
  '%s, this machine itself, reads them without a token',
  async (source) => {
    expect(await guardOf(false)(from(source))).toBeUndefined();
  },
);

it('others need a token', async () => {
  expect((await guardOf(false)(from('203.0.113.9')))?.status).toBe(401);
});

it('behind a declared proxy this machine needs one too: the address may be the proxy speaking for a stranger', async () => {
  expect((await guardOf(true)(from('127.0.0.1')))?.status).toBe(401);
});
