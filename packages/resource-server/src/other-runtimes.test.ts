// The attack sets of access-token-attacks.test.ts and dpop-attacks.test.ts in the real Deno and the real Bun: by the package
// as it is found there, and by each of its two platforms.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import { describe, expect, it } from 'vitest';
import { type AccessTokenScene, accessTokenAttacks, goodAccessTokens } from '../test/attacks/access-token.ts';
import { goodProofs, proofAttacks } from '../test/attacks/dpop.ts';
import { forge, type Pair, pairOf, published } from '../test/attacks/forge.ts';

const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'EdDSA', 'Ed25519'];
const pairs = ALGORITHMS.map((alg, i) => pairOf(alg, `k${i}`));
const scene: AccessTokenScene = {
  issuer: 'https://as.example.com',
  audience: 'https://fraud.example.com',
  now: 1_800_000_000,
  leeway: 5,
  pairs,
  stranger: pairOf('ES256', 'k0'),
};

/** What `verify` is given. */
interface Asked {
  readonly token: string;
  readonly scheme?: 'DPoP';
  readonly method?: string;
  readonly url?: string;
  readonly dpop?: string;
}
/** What is asked, and what may come of it: the first time and again. */
type Case = readonly [name: string, asked: Asked, first: RegExp, again: RegExp];

const INVALID = /^401 invalid_token$/;
const ACCEPTED = /^accepted$/;
const tokens: readonly Case[] = [
  ...accessTokenAttacks(scene).map(([name, token]): Case => [name, { token }, INVALID, INVALID]),
  ...goodAccessTokens(scene).map(([name, token]): Case => [name, { token }, ACCEPTED, ACCEPTED]),
];
const proofs = await proofCases();

async function proofCases(): Promise<readonly Case[]> {
  const [holder, ...others] = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'].map((alg) =>
    pairOf(alg, 'holder'),
  ) as [Pair, ...Pair[]];
  const { issuer, audience, now } = scene;
  const jkt = await jose.calculateJwkThumbprint(holder.jwk as jose.JWK);
  const claims = { iss: issuer, sub: 'p', client_id: 'p', aud: audience, iat: now, exp: now + 600, jti: 'j' };
  const header = { typ: 'at+jwt', alg: 'ES256', kid: 'k0' };
  const token = forge(header, { ...claims, cnf: { jkt } }, pairs[0] as Pair);
  const request = { scheme: 'DPoP', method: 'GET', url: `${audience}/cases/open` } as const;
  const proofScene = { ...request, token, now, holder, stranger: pairOf('ES256', 'stranger'), others };
  const refused = /^401 invalid_(dpop_proof|token)$/;
  return [
    ...proofAttacks(proofScene).map(
      ([name, dpop]): Case => [name, { ...request, token, dpop }, refused, refused],
    ),
    // Each once.
    ...goodProofs(proofScene).map(
      ([name, dpop]): Case => [name, { ...request, token, dpop }, ACCEPTED, /^401 invalid_dpop_proof$/],
    ),
  ];
}

const PROGRAM = fileURLToPath(new URL('../test/runtimes/verdicts.mjs', import.meta.url));
const RUNTIMES = [
  {
    name: 'Deno',
    variable: 'COUNTERSIGN_TEST_DENO',
    args: ['run', '--no-prompt', '--allow-read', '--allow-env'],
  },
  { name: 'Bun', variable: 'COUNTERSIGN_TEST_BUN', args: ['run'] },
] as const;
const ENTRIES = [
  ['the package as it is found', '@countersign/resource-server'],
  ['the entry on Web Crypto', new URL('../dist/web.js', import.meta.url).href],
  ['the entry on node:crypto', new URL('../dist/index.js', import.meta.url).href],
] as const;

describe.each(RUNTIMES)('on $name', ({ variable, args }) => {
  const program = process.env[variable] ?? '';

  const judge = async (entry: string, cases: readonly Case[]): Promise<string[]> => {
    const { issuer, audience, now } = scene;
    const keys = pairs.map((pair) => published(pair));
    const input = JSON.stringify({ issuer, audience, now, keys, requests: cases.map(([, asked]) => asked) });
    const verdicts = JSON.parse(await run([program, ...args, PROGRAM, entry], input)) as string[][];
    expect(verdicts).toHaveLength(cases.length);
    return cases.flatMap(([name, , first, again], at) => {
      const [one = '', two = ''] = verdicts[at] ?? [];
      return first.test(one) && again.test(two) ? [] : [`${name}: ${one}, ${two}`];
    });
  };

  describe.runIf(program !== '').each(ENTRIES)('%s', (_, entry) => {
    it('accepts good tokens and no others', { timeout: 60_000 }, async () => {
      expect(tokens.length).toBeGreaterThan(275);
      expect(await judge(entry, tokens)).toEqual([]);
    });

    it('accepts good proofs, once, and no others', { timeout: 60_000 }, async () => {
      expect(proofs.length).toBeGreaterThan(100);
      expect(await judge(entry, proofs)).toEqual([]);
    });
  });
});

function run([program = '', ...args]: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: fileURLToPath(new URL('..', import.meta.url)) });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ended with ${code}: ${err.slice(-2000)}`));
    });
    child.stdin.end(input);
  });
}
