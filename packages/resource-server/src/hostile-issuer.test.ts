// An issuer that answers badly, or strangers who would make us flood it: bounded, and refused with the right code.
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pairOf } from '../test/attacks/forge.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../test/tiny-issuer.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verifier } from './verifier.ts';

const NOW = 1_800_000_000;
const clock = () => NOW;
let tiny: TinyIssuer;
let verifier: Verifier;

beforeEach(async () => {
  tiny = await startTinyIssuer(clock);
  verifier = createVerifier({ issuer: tiny.issuer, audience: AUDIENCE, clock, cutoffs: false });
});
afterEach(async () => {
  await verifier.close();
  await tiny.close();
});

/** Answers the address of the keys so. */
function keysAnswered(answer: (response: ServerResponse) => void): void {
  tiny.intercept = (request, response) => {
    if (request.url !== '/oauth/jwks') return false;
    answer(response);
    return true;
  };
}

describe('keys that cannot be used are 503, not 401', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['10 MB', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(10_000_000)}"}`)],
    [
      '101 keys',
      (response) => response.end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })),
    ],
    ['a redirect to others', (response) => response.writeHead(302, { location: '/other' }).end()],
    ['no JSON', (response) => response.end('<html>')],
    ['a key set in a list', (response) => response.end('[{"keys":[]}]')],
    [
      'keys that are private',
      (response) => response.end(JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })),
    ],
    ['no answer', (response) => response.destroy()],
    ['an error', (response) => response.writeHead(500).end()],
  ])('%s', async (_, answer) => {
    keysAnswered(answer);
    const before = performance.now();
    expect(await verifier.verify(tiny.token())).toMatchObject({
      status: 503,
      error: undefined,
      reason: 'keys_unavailable',
    });
    expect(performance.now() - before).toBeLessThan(4000);
    expect(tiny.hits.get('/other')).toBeUndefined();
  });

  it('an issuer that never answers is given up after 5 seconds, once for all who wait', async () => {
    keysAnswered(() => undefined);
    const before = performance.now();
    const results = await Promise.all(Array.from({ length: 100 }, () => verifier.verify(tiny.token())));
    expect(new Set(results.map((result) => (result.ok ? 'ok' : result.reason)))).toEqual(
      new Set(['keys_unavailable']),
    );
    expect(performance.now() - before).toBeLessThan(9000);
    expect(tiny.hits.get('/oauth/jwks')).toBe(1);
  });
});

it('a flood of unknown kids makes one more fetch in 30 seconds, and good tokens pass meanwhile', async () => {
  await verifier.ready();
  const stranger = pairOf('ES256', 'x');
  const unknown = (i: number): string =>
    tiny.token({}, {}, { kid: `unknown-${i}`, alg: 'ES256', keyObject: stranger.privateKey });
  const results = await Promise.all(Array.from({ length: 500 }, (_, i) => verifier.verify(unknown(i))));
  for (const result of results) expect(result).toMatchObject({ status: 401, reason: 'unknown_key' });
  expect(tiny.hits.get('/oauth/jwks')).toBeLessThanOrEqual(2);
  expect((await verifier.verify(tiny.token())).ok).toBe(true);
});

it.each([
  ['256 kB', () => 'x'.repeat(262_144)],
  ['256 kB of JWT', () => tiny.token({ more: 'x'.repeat(190_000) })],
  [
    '100,000 scopes',
    () => tiny.token({ scope: Array.from({ length: 100_000 }, (_, i) => `s${i}`).join(' ') }),
  ],
  ['1,001 scopes', () => tiny.token({ scope: Array.from({ length: 1001 }, (_, i) => `s${i}`).join(' ') })],
])('a token of %s is refused in less than 50 ms', async (_, make) => {
  await verifier.ready();
  const token = make();
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    expect(await verifier.verify(token)).toMatchObject({ status: 401, error: 'invalid_token' });
    times.push(performance.now() - before);
  }
  expect(Math.min(...times)).toBeLessThan(50);
});
