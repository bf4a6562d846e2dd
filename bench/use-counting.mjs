/**
 * What counting use costs an API in each call: the same remembered tokens verified by a verifier that counts and reports, and by
 * one that does not. One process, interleaved rounds, CPU time.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { median, table } from './machine.mjs';

const ISSUER = 'https://authority.example';
const AUDIENCE = 'https://fraud.example';
const CALLERS = 200;
const SCOPES = ['fraud:read', 'fraud:list', 'fraud:write', 'fraud:admin'];
const CALLS = 100_000;

/** @param {{rounds: number, say: (text: string) => void}} options */
export async function run({ rounds, say }) {
  const { createVerifier } = await import('@countersign/resource-server');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' };
  const now = Math.floor(Date.now() / 1000);
  const tokens = Array.from({ length: CALLERS }, (_, at) => {
    const claims = {
      iss: ISSUER,
      sub: `caller-${at}`,
      client_id: `caller-${at}`,
      aud: AUDIENCE,
      scope: SCOPES.join(' '),
      iat: now,
      exp: now + 3600,
      jti: `tok_${at}`,
      crd: `crd_${String(at).padStart(20, '0')}`,
      acs: `acs_${String(at).padStart(20, '0')}`,
    };
    const input = [{ typ: 'at+jwt', alg: 'ES256', kid: 'k1' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  });
  const verifierWith = (usage) =>
    createVerifier({ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [jwk] }, cutoffs: false, usage });
  const receipt = { fetch: async () => new Response('{"counted":true}') };
  const contestants = new Map([
    ['without', verifierWith(false)],
    ['counting', verifierWith(receipt)],
  ]);
  const requests = SCOPES.map((scope) => ({ scope }));
  const seen = new Map([...contestants.keys()].map((name) => [name, []]));
  for (let round = -3; round < rounds; round++) {
    for (const [name, verifier] of contestants) {
      const before = process.cpuUsage();
      for (let at = 0; at < CALLS; at++) {
        const result = await verifier.verify(tokens[at % CALLERS], requests[at % SCOPES.length]);
        if (!result.ok) throw new Error(`refused a good token: ${result.reason}`);
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) seen.get(name).push((user + system) / CALLS);
    }
    if (round >= 0)
      say(
        `round ${round + 1}: ${[...seen].map(([name, all]) => `${name} ${all.at(-1).toFixed(2)}`).join(' · ')}`,
      );
  }
  await Promise.all([...contestants.values()].map((verifier) => verifier.close()));
  const extra = median(seen.get('counting').map((value, at) => value - seen.get('without')[at]));
  return [
    `${rounds} interleaved rounds of ${CALLS.toLocaleString('en')} calls, ${CALLERS} callers, ${SCOPES.length} scopes; medians of CPU µs per call.`,
    '',
    table(
      ['verifier', 'again'],
      [...seen].map(([name, all]) => [name, median(all).toFixed(2)]),
    ),
    '',
    `- counting costs **${extra.toFixed(2)} µs** a call; wanted: under 1`,
  ].join('\n');
}
