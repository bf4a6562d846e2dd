/**
 * What verifying an access token costs an API: tokens that come for the first time, and tokens that come again. One
 * process, interleaved rounds; CPU time of each contestant's stretch divided by the tokens in it.
 */
import { createPublicKey, generateKeyPairSync, sign, verify as verifySignature } from 'node:crypto';
import { median, table } from './machine.mjs';

const ISSUER = 'https://authority.example';
const AUDIENCE = 'https://fraud.example';

/** @param {string} name a package that may not be installed here */
async function optional(name) {
  try {
    return await import(name);
  } catch {
    return undefined;
  }
}

/** @param {{apart: unknown, rounds: number, say: (text: string) => void}} options */
export async function run({ rounds, say }) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  const now = Math.floor(Date.now() / 1000);
  let made = 0;
  const token = () => {
    const claims = {
      iss: ISSUER,
      sub: 'payments',
      client_id: 'payments',
      aud: AUDIENCE,
      scope: 'fraud:read fraud:list',
      iat: now,
      exp: now + 3600,
      jti: `tok_${made++}`,
      crd: 'crd_00000000000000000001',
      acs: 'acs_00000000000000000001',
    };
    const input = [{ typ: 'at+jwt', alg: 'ES256', kid: 'k1' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    // In one piece, as it comes out of a header: putting the text together is no verifier's work.
    return Buffer.from(`${input}.${signature.toString('base64url')}`).toString('latin1');
  };

  const contestants = await contestantsFor({ jwk, publicKey, privateKey });
  const first = await compare(contestants, {
    rounds,
    say,
    what: 'first time',
    // The compiler of Node 20 is done with all of this after some 3,000 tokens, that of Node 24 after some 10,000
    // (`--trace-opt`): until then it works beside, and its time is counted to whoever's turn it is.
    warm: 14,
    each: 1000,
    // Who takes turns after a few milliseconds has the same neighbours on the machine.
    turns: 10,
    tokens: (count) => Array.from({ length: count }, token),
  });
  const few = Array.from({ length: 100 }, token);
  const again = await compare(
    contestants.filter(({ remembers }) => remembers !== false),
    {
      rounds,
      say,
      what: 'again',
      warm: 4,
      each: 40_000,
      turns: 4,
      tokens: (count) => Array.from({ length: count }, (_, at) => few[at % few.length]),
    },
  );
  await Promise.all(contestants.map(({ close }) => close?.()));

  const times = (rows, one, other) => {
    const [a, b] = [rows.get(one), rows.get(other)];
    return a === undefined || b === undefined ? undefined : median(a.map((value, at) => b[at] / value));
  };
  const lines = [];
  const say2 = (text, ratio, purpose) => {
    if (ratio !== undefined) lines.push(`- ${text}: **${ratio.toFixed(2)}×**; ${purpose}`);
  };
  say2('first time, jose against countersign', times(first, 'countersign', 'jose'), 'wanted: at least 1.3');
  say2(
    'first time, countersign against one bare crypto.verify',
    times(first, 'bare crypto.verify', 'countersign'),
    'wanted: at most 1.1',
  );
  say2(
    'first time, parse and verify only against one bare crypto.verify',
    times(first, 'bare crypto.verify', 'parse and verify only'),
    "for comparison: a token read with the platform's own means",
  );
  say2(
    'again, fast-jwt with its cache against countersign',
    times(again, 'countersign', 'fast-jwt, cache'),
    'wanted: at least 1.5',
  );
  const rows = contestants.map(({ name, does }) => [
    name,
    first.has(name) ? median(first.get(name)).toFixed(1) : '–',
    again.has(name) ? median(again.get(name)).toFixed(2) : '–',
    does,
  ]);
  return [
    `${rounds} interleaved rounds; medians of CPU µs per token; ES256, ${token().length} characters.`,
    '',
    table(['verifier', 'first time', 'again', 'checks'], rows),
    '',
    ...lines,
  ].join('\n');
}

/** Each as a careful user sets it up. `remembers: false`: verifies again each time, so "again" is "first time". */
async function contestantsFor({ jwk, publicKey, privateKey }) {
  const { createVerifier } = await import('@countersign/resource-server');
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  const key = createPublicKey(pem);
  const ours = await withCutoffs(createVerifier, jwk, privateKey);
  const found = [
    {
      name: 'bare crypto.verify',
      does: 'the signature',
      remembers: false,
      prepare: (token) => {
        const at = token.lastIndexOf('.');
        const raw = Buffer.from(token.slice(at + 1), 'base64url');
        return { data: Buffer.from(token.slice(0, at)), der: derOf(raw) };
      },
      verify: ({ data, der }) => verifySignature('sha256', data, key, der),
    },
    {
      name: 'parse and verify only',
      does: 'the signature; no claim',
      remembers: false,
      verify: (token) => {
        const [header, payload, signature] = token.split('.');
        const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString('latin1'));
        const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString());
        const data = Buffer.from(token.slice(0, header.length + payload.length + 1), 'latin1');
        const der = derOf(Buffer.from(signature, 'base64url'));
        return alg === 'ES256' && iss !== undefined && verifySignature('sha256', data, key, der);
      },
    },
    {
      name: 'countersign',
      does: 'all of RFC 9068, cut-offs, scope',
      verify: async (token) => (await ours.verifier.verify(token, { scope: 'fraud:read' })).ok,
      close: ours.close,
    },
  ];
  const jose = await optional('jose');
  if (jose !== undefined) {
    const keys = jose.createLocalJWKSet({ keys: [jwk] });
    const options = {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      clockTolerance: 5,
    };
    found.push({
      name: 'jose',
      does: 'typ, iss, aud, times',
      remembers: false,
      verify: async (token) => (await jose.jwtVerify(token, keys, options)).payload !== undefined,
    });
  }
  const fastJwt = await optional('fast-jwt');
  if (fastJwt !== undefined) {
    const options = { key: pem, algorithms: ['ES256'], allowedIss: ISSUER, allowedAud: AUDIENCE };
    for (const cache of [false, 5000]) {
      const verify = fastJwt.createVerifier({ ...options, cache });
      found.push({
        name: cache === false ? 'fast-jwt' : 'fast-jwt, cache',
        does: 'iss, aud, times',
        remembers: cache !== false,
        verify: (token) => verify(token) !== undefined,
      });
    }
  }
  const jsonwebtoken = (await optional('jsonwebtoken'))?.default;
  if (jsonwebtoken !== undefined) {
    const options = { algorithms: ['ES256'], issuer: ISSUER, audience: AUDIENCE };
    found.push({
      name: 'jsonwebtoken',
      does: 'iss, aud, times',
      remembers: false,
      verify: (token) => jsonwebtoken.verify(token, pem, options) !== undefined,
    });
  }
  const aws = await optional('aws-jwt-verify');
  if (aws !== undefined) {
    const verifier = aws.JwtVerifier.create({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwksUri: `${ISSUER}/jwks`,
    });
    verifier.cacheJwks({ keys: [jwk] });
    found.push({
      name: 'aws-jwt-verify',
      does: 'iss, aud, times',
      remembers: false,
      verify: (token) => verifier.verifySync(token) !== undefined,
    });
  }
  return found;
}

/** Ours with a feed that knows of 1,000 cut-offs, kept fresh as an authority keeps it. */
async function withCutoffs(createVerifier, jwk, privateKey) {
  const entries = Array.from({ length: 1000 }, (_, at) => ({
    kind: 'token',
    id: `other_${at}`,
    not_before: 1,
  }));
  const page = (after) => {
    const iat = Math.floor(Date.now() / 1000);
    const from = Number(after ?? 0);
    const claims = {
      iss: ISSUER,
      iat,
      exp: iat + 60,
      from,
      cursor: 1000,
      entries: from === 0 ? entries : [],
    };
    const input = [{ typ: 'cutoffs+jwt', alg: 'ES256', kid: 'k1' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
  const fetch = async (url) => {
    const query = new URL(url).searchParams;
    if (query.has('after')) await new Promise((resolve) => setTimeout(resolve, 2000).unref());
    return new Response(page(query.get('after')), { headers: { 'content-type': 'application/jwt' } });
  };
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [jwk] },
    fetch,
    cutoffs: { staleAfter: 60 },
  });
  await verifier.ready();
  return { verifier, close: () => verifier.close() };
}

/** @returns {Promise<Map<string, number[]>>} for each contestant the CPU µs per token of each round */
async function compare(contestants, { rounds, say, what, warm, each, turns, tokens }) {
  const seen = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = -warm; round < rounds; round++) {
    const spent = contestants.map(() => 0);
    for (let turn = 0; turn < turns; turn++) {
      for (const [at, { name, verify, prepare }] of contestants.entries()) {
        const given = tokens(each / turns).map((token) => prepare?.(token) ?? token);
        const before = process.cpuUsage();
        for (const one of given) if (!(await verify(one))) throw new Error(`${name} refused a good token`);
        const { user, system } = process.cpuUsage(before);
        spent[at] += user + system;
      }
    }
    if (round < 0) continue;
    for (const [at, { name }] of contestants.entries()) seen.get(name).push(spent[at] / each);
    say(
      `${what}, round ${round + 1}: ${[...seen].map(([name, all]) => `${name} ${all.at(-1).toFixed(1)}`).join(' · ')}`,
    );
  }
  return seen;
}

/** r and s as the platform wants them. */
function derOf(raw) {
  const der = Buffer.allocUnsafe(72);
  let at = 2;
  for (const half of [0, 32]) {
    let start = half;
    while (start < half + 31 && raw[start] === 0) start++;
    const pad = raw[start] >> 7;
    der[at++] = 2;
    der[at++] = half + 32 - start + pad;
    if (pad === 1) der[at++] = 0;
    while (start < half + 32) der[at++] = raw[start++];
  }
  der[0] = 0x30;
  der[1] = at - 2;
  return der.subarray(0, at);
}
