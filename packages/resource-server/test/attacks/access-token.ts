// Access tokens that must not be accepted, and some that look odd and must be: RFC 9068, RFC 8725, RFC 7515, RFC 7519.
import { constants, sign } from 'node:crypto';
import {
  b64,
  forge,
  hmac,
  nonCanonical,
  type Pair,
  part,
  published,
  signature,
  withSignature,
} from './forge.ts';

export interface AccessTokenScene {
  readonly issuer: string;
  readonly audience: string;
  /** Epoch seconds. */
  readonly now: number;
  readonly leeway: number;
  /** Published by the issuer: one for each algorithm, the first is ES256. */
  readonly pairs: readonly Pair[];
  /** Of the same kind as the first, and never published here. */
  readonly stranger: Pair;
}

export type Attack = readonly [name: string, token: string];

const P256_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
const ED25519_ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

export function goodClaims({ issuer, audience, now }: AccessTokenScene): Record<string, unknown> {
  return {
    iss: issuer,
    sub: 'payments',
    client_id: 'payments',
    aud: audience,
    scope: 'fraud:read',
    iat: now,
    exp: now + 600,
    jti: 'j',
  };
}

export function accessTokenAttacks(scene: AccessTokenScene): Attack[] {
  return [
    ...forms(scene),
    ...headers(scene),
    ...algorithms(scene),
    ...signatures(scene),
    ...claims(scene),
    ...payloads(scene),
    ...otherKinds(scene),
  ];
}

const pairFor = ({ pairs }: AccessTokenScene, alg: string): Pair =>
  pairs.find((each) => each.alg === alg) as Pair;
const headOf = ({ alg, kid }: Pair): object => ({ typ: 'at+jwt', alg, kid });

function made(
  scene: AccessTokenScene,
  change: object = {},
  header: object = {},
  by = scene.pairs[0] as Pair,
): string {
  return forge({ ...headOf(by), ...header }, { ...goodClaims(scene), ...change }, by);
}

/** The text is not one compact JWS. */
function forms(scene: AccessTokenScene): Attack[] {
  const good = made(scene);
  const [head, body, tail] = good.split('.') as [string, string, string];
  const around: [string, string][] = [
    ['a space before', ` ${good}`],
    ['a space behind', `${good} `],
    ['a line end behind', `${good}\n`],
    ['a line end before', `\r\n${good}`],
    ['a tab behind', `${good}\t`],
    ['a NUL behind', `${good}\0`],
    ['a no-break space behind', `${good}\u00a0`],
    ['a zero-width space behind', `${good}\u200b`],
    ['a byte order mark before', `\ufeff${good}`],
    ['quotes', `"${good}"`],
    ['the scheme before', `Bearer ${good}`],
    ['a comma behind', `${good},`],
    ['another token behind', `${good},${good}`],
    ['percent encoding', encodeURIComponent(good).replace(/\./g, '%2E')],
    ['a semicolon behind', `${good};x`],
    ['padding of the header', `${head}=.${body}.${tail}`],
    ['padding of the payload', `${head}.${body}==.${tail}`],
    ['padding of the signature', `${good}==`],
    ['a fourth part', `${good}.`],
    ['a fourth part with text', `${good}.${tail}`],
    ['a leading dot', `.${good}`],
    ['five parts', `${head}.${body}.${tail}.${tail}.${tail}`],
    ['two parts', `${head}.${body}`],
    ['no signature', `${head}.${body}.`],
    ['no header', `.${body}.${tail}`],
    ['no payload', `${head}..${tail}`],
    ['only dots', '..'],
    ['one dot', '.'],
    ['a word', 'token'],
    ['an API key', 'cak_abcdefgh_0123456789abcdefghijklmnopqrstuv'],
    ['standard base64', good.replace(/-/g, '+').replace(/_/g, '/').concat('+')],
    ['a space in the header', `${head.slice(0, 9)} ${head.slice(9)}.${body}.${tail}`],
    ['a space in the payload', `${head}.${body.slice(0, 9)} ${body.slice(9)}.${tail}`],
    ['a space in the signature', `${head}.${body}.${tail.slice(0, 9)} ${tail.slice(9)}`],
    ['a line end in the signature', `${head}.${body}.${tail.slice(0, 9)}\n${tail.slice(9)}`],
    ['a stray character in the header', `${head.slice(0, 9)}!${head.slice(9)}.${body}.${tail}`],
    ['a stray character in the payload', `${head}.${body.slice(0, 9)}~${body.slice(9)}.${tail}`],
    ['a letter of another alphabet', `${head}.${body}.${tail.slice(0, -1)}\u0430`],
    ['full-width letters', `${head}.${body}.${tail.replace(/A|B|C|D/, '\uff21')}\uff21`],
    ['stray bits in the signature', `${head}.${body}.${nonCanonical(tail)}`],
    ['an impossible length of the signature', `${head}.${body}.${tail}AAA`],
    ['an impossible length of the payload', `${head}.${body}A.${tail}`],
    ['the signature twice', `${head}.${body}.${tail}${tail}`],
    ['flattened JSON', JSON.stringify({ protected: head, payload: body, signature: tail })],
    ['general JSON', JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] })],
    ['16,385 characters', made(scene, { more: 'x'.repeat(12_500) })],
    ['256 kB', made(scene, { more: 'x'.repeat(190_000) })],
    ['256 kB of dots', '.'.repeat(262_144)],
    ['256 kB of letters', 'A'.repeat(262_144)],
    ['100,000 scopes', made(scene, { scope: Array.from({ length: 100_000 }, (_, i) => `s${i}`).join(' ') })],
  ];
  // Only where the last character has bits to spare.
  if (head.length % 4 !== 0)
    around.push(['stray bits in the header', `${nonCanonical(head)}.${body}.${tail}`]);
  if (body.length % 4 !== 0)
    around.push(['stray bits in the payload', `${head}.${nonCanonical(body)}.${tail}`]);
  return around.map(([name, token]) => [`form: ${name}`, token] as const);
}

/** The header says what may not be said; the signature is right. */
function headers(scene: AccessTokenScene): Attack[] {
  const by = scene.pairs[0] as Pair;
  const body = goodClaims(scene);
  const json = JSON.stringify(headOf(by));
  const strangerJwk = published(scene.stranger, { kid: by.kid });
  const objects: [string, object][] = [
    ['crit of something unknown', { crit: ['x'], x: 1 }],
    ['crit of exp', { crit: ['exp'], exp: scene.now + 600 }],
    ['an empty crit', { crit: [] }],
    ['crit that is text', { crit: 'x', x: 1 }],
    ['crit that is null', { crit: null }],
    ['crit naming itself', { crit: ['crit'] }],
    ['crit naming alg', { crit: ['alg'] }],
    ['crit b64', { crit: ['b64'], b64: true }],
    ['b64 without crit', { b64: true }],
    ['b64 false', { crit: ['b64'], b64: false }],
    ['an enc', { enc: 'A128GCM' }],
    ['a kid that is unknown', { kid: 'unknown' }],
    ['a kid in another case', { kid: by.kid.toUpperCase() }],
    ['a kid with a space', { kid: `${by.kid} ` }],
    ['an empty kid', { kid: '' }],
    ['a kid that is a path', { kid: '../../dev/null' }],
    ['a kid that is SQL', { kid: "x' OR '1'='1" }],
    ['a kid that is an address', { kid: 'https://evil.example/jwks#k1' }],
    ['a kid of the language', { kid: '__proto__' }],
    ['a kid that is a number', { kid: 1 }],
    ['a kid that is null', { kid: null }],
    ['a kid that is a list', { kid: [by.kid] }],
    ['a kid that is an object', { kid: { toString: by.kid } }],
    ['the kid of another key', { kid: (scene.pairs[1] as Pair).kid }],
    ['typ JWT', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['an empty typ', { typ: '' }],
    ['typ null', { typ: null }],
    ['typ as a list', { typ: ['at+jwt'] }],
    ['typ as a number', { typ: 1 }],
    ['typ with a space', { typ: 'at+jwt ' }],
    ['typ with a parameter', { typ: 'at+jwt;v=1' }],
    ['typ with a NUL', { typ: 'at+jwt\0' }],
    ['typ with a prefix twice', { typ: 'application/application/at+jwt' }],
    ['typ of another tree', { typ: 'text/at+jwt' }],
    ['typ nearly', { typ: 'at-jwt' }],
    ['typ cut', { typ: 'at+jw' }],
    ['typ of a proof', { typ: 'dpop+jwt' }],
    ['typ of a cut-off feed', { typ: 'cutoffs+jwt' }],
    ['typ of a client assertion', { typ: 'client-authentication+jwt' }],
    ['typ of an introspection answer', { typ: 'token-introspection+jwt' }],
    ['typ of a security event', { typ: 'secevent+jwt' }],
    ['typ of a logout token', { typ: 'logout+jwt' }],
    ['typ of a status list', { typ: 'statuslist+jwt' }],
    ['typ of a request object', { typ: 'oauth-authz-req+jwt' }],
    ['typ JOSE', { typ: 'JOSE' }],
    ['cty that is a number', { cty: 1 }],
    ['alg as a list', { alg: ['ES256'] }],
    ['alg null', { alg: null }],
    ['alg as a number', { alg: 256 }],
    ['alg as an object', { alg: { ES256: true } }],
    ['no alg', { alg: undefined }],
    ['an empty alg', { alg: '' }],
    ['alg in small letters', { alg: 'es256' }],
    ['alg with a space', { alg: 'ES256 ' }],
    ['alg with a NUL', { alg: 'ES256\0' }],
    ['alg of the language', { alg: '__proto__' }],
    ['alg toString', { alg: 'toString' }],
    ['alg by its number', { alg: 'ESP256' }],
  ];
  const raw: [string, unknown][] = [
    ['a list', [headOf(by)]],
    ['a text', JSON.stringify('x')],
    ['null', 'null'],
    ['a number', '1'],
    ['no JSON', 'x'],
    ['nothing', ' '],
    ['a byte order mark', `\ufeff${json}`],
    ['text behind it', `${json}x`],
    ['an object behind it', `${json}{}`],
    ['a comma at the end', json.replace(/\}$/, ',}')],
    ['single quotes', json.replace(/"/g, "'")],
    ['a comment', json.replace('{', '{/**/')],
    ['no UTF-8', Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])],
    [
      'an overlong form',
      Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(',"x":"\xc0\xaf"}', 'latin1')]),
    ],
    ['UTF-16', Buffer.from(json, 'utf16le')],
    ['alg twice', json.replace('{', '{"alg":"none",')],
    ['alg twice, once escaped', json.replace('{', '{"\\u0061lg":"none",')],
    ['typ twice', json.replace('{', '{"typ":"JWT",')],
    ['kid twice', json.replace('{', '{"kid":"x",')],
    ['a lone surrogate', json.replace('{', '{"x":"\\ud800",')],
    ['nine levels', { ...headOf(by), x: [[[[[[[[1]]]]]]]] }],
    ['5,000 levels', json.replace('{', `{"x":${'['.repeat(4000)}${']'.repeat(4000)},`)],
    ['8,193 bytes', { ...headOf(by), x: 'x'.repeat(8193) }],
    ['alg of the prototype', `{"__proto__":{"alg":"ES256"},"typ":"at+jwt","kid":"${by.kid}"}`],
  ];
  const keys: Attack[] = [
    ['jwk', { jwk: scene.stranger.jwk }],
    ['jwk with the known kid', { jwk: strangerJwk }],
    ['jku', { jku: 'https://evil.example/jwks' }],
    ['x5u', { x5u: 'https://evil.example/cert' }],
    ['x5c', { x5c: [Buffer.from('x').toString('base64')] }],
    ['x5t#S256', { 'x5t#S256': 'A'.repeat(43) }],
  ].map(([name, header]) => [
    `header: a key of its own by ${String(name)}`,
    forge({ ...headOf(by), ...(header as object) }, body, scene.stranger),
  ]);
  return [
    ...objects.map(
      ([name, header]) => [`header: ${name}`, forge({ ...headOf(by), ...header }, body, by)] as const,
    ),
    ...raw.map(([name, header]) => [`header: ${name}`, forge(header, body, by)] as const),
    ...keys,
  ];
}

/** The algorithm is none, symmetric, or not the key's. */
function algorithms(scene: AccessTokenScene): Attack[] {
  const by = scene.pairs[0] as Pair;
  const body = goodClaims(scene);
  const rsa = pairFor(scene, 'RS256');
  const head = (alg: string, kid = by.kid): object => ({ typ: 'at+jwt', alg, kid });
  const attacks: Attack[] = [];
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ']) {
    const input = `${part(head(alg))}.${part(body)}`;
    attacks.push([`alg ${alg} without signature`, `${input}.`], [`alg ${alg} with a zero`, `${input}.AA`]);
    attacks.push([
      `alg ${alg} with a signature`,
      `${input}.${b64(signature('ES256', input, by.privateKey))}`,
    ]);
  }
  for (const pair of [by, rsa, pairFor(scene, 'EdDSA')]) {
    const pem = String(pair.publicKey.export({ format: 'pem', type: 'spki' }));
    const der = pair.publicKey.export({ format: 'der', type: 'spki' });
    const secrets: [string, string | Uint8Array][] = [
      ['PEM', pem],
      ['PEM without line ends', pem.replace(/\n/g, '')],
      ['PEM trimmed', pem.trim()],
      ['DER', der],
      ['JWK', JSON.stringify(pair.jwk)],
      ['published JWK', JSON.stringify(published(pair))],
      ['x or n', Buffer.from(String(pair.jwk['x'] ?? pair.jwk['n']), 'base64url')],
    ];
    for (const [name, secret] of secrets) {
      attacks.push([`HS256 with the ${pair.alg} key’s ${name}`, hmac(head('HS256', pair.kid), body, secret)]);
    }
    attacks.push([
      `HS512 with the ${pair.alg} key’s PEM`,
      hmac(head('HS512', pair.kid), body, pem, 'sha512'),
    ]);
  }
  attacks.push(['HS256 with an empty secret', hmac(head('HS256'), body, '')]);
  attacks.push(['HS256 under an alg that is allowed', hmac(head('ES256'), body, JSON.stringify(by.jwk))]);
  for (const alg of [
    'ES384',
    'ES512',
    'ES256K',
    'RS256',
    'PS256',
    'EdDSA',
    'Ed25519',
    'RS512',
    'RS1',
    'A128KW',
    'dir',
  ]) {
    attacks.push([`${alg} under an ES256 key`, forge(head(alg), body, by)]);
  }
  for (const alg of ['PS256', 'RS384', 'RS512', 'PS512']) {
    attacks.push([
      `${alg} under an RS256 key`,
      forge(head(alg, rsa.kid), body, rsa, alg === 'PS256' ? alg : 'RS256'),
    ]);
  }
  for (const pair of scene.pairs.slice(1)) {
    attacks.push([`ES256 under a key for ${pair.alg}`, forge(head('ES256', pair.kid), body, by)]);
  }
  return attacks;
}

/** The signature is not one by that key over these bytes. */
function signatures(scene: AccessTokenScene): Attack[] {
  const by = scene.pairs[0] as Pair;
  const good = made(scene);
  const [head, body] = good.split('.') as [string, string];
  const bend = (name: string, change: (bytes: Buffer) => Uint8Array): Attack => [
    `signature: ${name}`,
    withSignature(good, change),
  ];
  const r = (bytes: Buffer): Buffer => bytes.subarray(0, 32);
  const s = (bytes: Buffer): Buffer => bytes.subarray(32);
  const order = (plus: number): Buffer =>
    Buffer.from((BigInt(`0x${P256_ORDER.toString('hex')}`) + BigInt(plus)).toString(16), 'hex');
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  const ed = pairFor(scene, 'EdDSA');
  const edGood = made(scene, {}, {}, ed);
  const ps = pairFor(scene, 'PS256');
  const rs = pairFor(scene, 'RS256');
  const pss = (saltLength: number, hash = 'sha256'): string => {
    const input = `${part(headOf(ps))}.${part(goodClaims(scene))}`;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return `${input}.${b64(sign(hash, Buffer.from(input), { key: ps.privateKey, padding, saltLength }))}`;
  };
  const pkcs = (hash: string, pair: Pair): string => {
    const input = `${part(headOf(pair))}.${part(goodClaims(scene))}`;
    return `${input}.${b64(sign(hash, Buffer.from(input), pair.privateKey))}`;
  };
  return [
    bend('of zeros', () => Buffer.alloc(64)),
    bend('of ones', () => Buffer.alloc(64, 0xff)),
    bend('r is 0', (bytes) => Buffer.concat([zero, s(bytes)])),
    bend('s is 0', (bytes) => Buffer.concat([r(bytes), zero])),
    bend('r and s are 1', () => Buffer.concat([one, one])),
    bend('r is the order', (bytes) => Buffer.concat([order(0), s(bytes)])),
    bend('s is the order', (bytes) => Buffer.concat([r(bytes), order(0)])),
    bend('both are the order', () => Buffer.concat([order(0), order(0)])),
    bend('r is the order and 1', (bytes) => Buffer.concat([order(1), s(bytes)])),
    bend('r and s swapped', (bytes) => Buffer.concat([s(bytes), r(bytes)])),
    bend('cut by one', (bytes) => bytes.subarray(0, 63)),
    bend('one byte longer', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
    bend('a zero before', (bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
    bend('r and s widened', (bytes) =>
      Buffer.concat([Buffer.alloc(16), r(bytes), Buffer.alloc(16), s(bytes)]),
    ),
    bend('only r', r),
    bend('one byte', () => Buffer.alloc(1)),
    bend('first bit flipped', (bytes) => flipped(bytes, 0)),
    bend('last bit flipped', (bytes) => flipped(bytes, 63)),
    bend('of DER', () => sign('sha256', Buffer.from(`${head}.${body}`), by.privateKey)),
    bend('of DER with a zero in front', () =>
      Buffer.concat([Buffer.alloc(1), sign('sha256', Buffer.from(`${head}.${body}`), by.privateKey)]),
    ),
    bend('by SHA-384', () =>
      sign('sha384', Buffer.from(`${head}.${body}`), { key: by.privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
    bend('by SHA-1', () =>
      sign('sha1', Buffer.from(`${head}.${body}`), { key: by.privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
    bend('over the header', () => signature('ES256', head, by.privateKey)),
    bend('over the payload', () => signature('ES256', body, by.privateKey)),
    bend('without the dot', () => signature('ES256', head + body, by.privateKey)),
    bend('over the decoded payload', () =>
      signature('ES256', `${head}.${Buffer.from(body, 'base64url').toString()}`, by.privateKey),
    ),
    bend('over what it ends with too', () => signature('ES256', `${head}.${body}.`, by.privateKey)),
    bend('of a stranger', () => signature('ES256', `${head}.${body}`, scene.stranger.privateKey)),
    ['signature: another payload under it', good.replace(body, part({ ...goodClaims(scene), sub: 'admin' }))],
    ['signature: another header under it', good.replace(head, part({ ...headOf(by), x: 1 }))],
    ['signature: of Ed25519, S and its order', withSignature(edGood, addOrder)],
    ['signature: of Ed25519, zeros', withSignature(edGood, () => Buffer.alloc(64))],
    [
      'signature: of Ed25519, neutral R and S 0',
      withSignature(edGood, () => Buffer.concat([one.reverse(), zero])),
    ],
    ['signature: of Ed25519, cut', withSignature(edGood, (bytes) => bytes.subarray(0, 63))],
    ['signature: of PS256 by PKCS #1', pkcs('sha256', ps)],
    ['signature: of RS256 by PSS', forge(headOf(rs), goodClaims(scene), rs, 'PS256')],
    ['signature: of RS256 by SHA-1', pkcs('sha1', rs)],
    ['signature: of RS256 by SHA-512', pkcs('sha512', rs)],
    ['signature: of PS256 without salt', pss(0)],
    ['signature: of PS256 with a salt of 20', pss(20)],
    ['signature: of PS256 with the longest salt', pss(222)],
    ['signature: of PS256 by SHA-1', pss(20, 'sha1')],
    [
      'signature: of RS256, zeros',
      withSignature(forge(headOf(rs), goodClaims(scene), rs), () => Buffer.alloc(256)),
    ],
    [
      'signature: of RS256, one',
      withSignature(forge(headOf(rs), goodClaims(scene), rs), () =>
        Buffer.concat([Buffer.alloc(255), Buffer.from([1])]),
      ),
    ],
    [
      'signature: of RS256, cut',
      withSignature(forge(headOf(rs), goodClaims(scene), rs), (bytes) => bytes.subarray(1)),
    ],
    [
      'signature: of RS256, longer',
      withSignature(forge(headOf(rs), goodClaims(scene), rs), (bytes) =>
        Buffer.concat([Buffer.alloc(1), bytes]),
      ),
    ],
  ];
}

function addOrder(bytes: Buffer): Buffer {
  let s = 0n;
  for (let at = 63; at >= 32; at--) s = s * 256n + BigInt(bytes[at] as number);
  s += ED25519_ORDER;
  const out = Buffer.from(bytes);
  for (let at = 32; at < 64; at++, s /= 256n) out[at] = Number(s % 256n);
  return out;
}

/** A claim is missing, of the wrong kind, or of something else; the signature is right. */
function claims(scene: AccessTokenScene): Attack[] {
  const { issuer, audience, now, leeway } = scene;
  const changes: [string, object][] = [];
  for (const name of ['iss', 'sub', 'client_id', 'aud', 'exp', 'iat', 'jti']) {
    changes.push([`no ${name}`, { [name]: undefined }], [`${name} null`, { [name]: null }]);
    changes.push([`${name} true`, { [name]: true }], [`${name} an object`, { [name]: { value: 'x' } }]);
    changes.push([`${name} an empty list`, { [name]: [] }]);
  }
  for (const name of ['iss', 'sub', 'client_id', 'jti', 'aud']) {
    changes.push([`${name} empty`, { [name]: '' }], [`${name} a number`, { [name]: 1 }]);
  }
  changes.push(
    ['iss as a list', { iss: [issuer] }],
    ['iss with a slash', { iss: `${issuer}/` }],
    ['iss in capitals', { iss: issuer.toUpperCase() }],
    ['iss with a path', { iss: `${issuer}/tenant` }],
    ['iss with a query', { iss: `${issuer}?x` }],
    ['iss with a space', { iss: `${issuer} ` }],
    ['iss cut', { iss: issuer.slice(0, -1) }],
    ['iss of another', { iss: 'https://evil.example' }],
    ['iss of the language', { iss: '__proto__' }],
    ['aud of another API', { aud: 'https://ledger.example.com' }],
    ['aud with a slash', { aud: `${audience}/` }],
    ['aud in capitals', { aud: audience.toUpperCase() }],
    ['aud cut', { aud: audience.slice(0, -1) }],
    ['aud longer', { aud: `${audience}.evil.example` }],
    ['aud with a path', { aud: `${audience}/x` }],
    ['aud with a space', { aud: ` ${audience}` }],
    ['aud of two in one text', { aud: `${audience} https://ledger.example.com` }],
    ['aud of two with a comma', { aud: `${audience},https://ledger.example.com` }],
    ['aud with a wildcard', { aud: '*' }],
    ['aud as a list of others', { aud: ['https://ledger.example.com', 'urn:x'] }],
    ['aud as a list in a list', { aud: [[audience]] }],
    ['aud with a number beside', { aud: [audience, 1] }],
    ['aud with null beside', { aud: [audience, null] }],
    ['aud with nothing beside', { aud: [audience, ''] }],
    ['exp past', { iat: now - 700, exp: now - leeway - 1 }],
    ['exp at its end', { iat: now - 700, exp: now - leeway }],
    ['exp 0', { exp: 0 }],
    ['exp negative', { exp: -1 }],
    ['exp as text', { exp: String(now + 600) }],
    ['exp as a date', { exp: new Date((now + 600) * 1000).toISOString() }],
    ['exp as a list', { exp: [now + 600] }],
    ['iat in the future', { iat: now + leeway + 1 }],
    ['iat as text', { iat: String(now) }],
    ['iat negative', { iat: -1 }],
    ['nbf in the future', { nbf: now + leeway + 1 }],
    ['nbf as text', { nbf: String(now) }],
    ['nbf null', { nbf: null }],
    ['nbf true', { nbf: true }],
    ['scope as a list', { scope: ['fraud:read'] }],
    ['scope null', { scope: null }],
    ['scope a number', { scope: 1 }],
    ['scope an object', { scope: { 'fraud:read': true } }],
    ['scope with two spaces', { scope: 'fraud:read  fraud:write' }],
    ['scope with a space before', { scope: ' fraud:read' }],
    ['scope with a tab', { scope: 'fraud:read\tfraud:write' }],
    ['scope with a line end', { scope: 'fraud:read\n' }],
    ['scope with a quote', { scope: 'fraud:read "' }],
    ['scope with a backslash', { scope: 'fraud:read \\' }],
    ['scope with another alphabet', { scope: 'fraud:re\u0430d' }],
    ['cnf null', { cnf: null }],
    ['cnf text', { cnf: 'x' }],
    ['cnf a list', { cnf: [] }],
    ['cnf empty', { cnf: {} }],
    ['cnf unknown', { cnf: { kid: 'x' } }],
    ['cnf jwk', { cnf: { jwk: scene.stranger.jwk } }],
    ['cnf jkt without proof', { cnf: { jkt: 'A'.repeat(43) } }],
    ['cnf jkt short', { cnf: { jkt: 'A'.repeat(42) } }],
    ['cnf jkt null', { cnf: { jkt: null } }],
    ['cnf jkt padded', { cnf: { jkt: `${'A'.repeat(43)}=` } }],
    ['cnf x5t#S256 without certificate', { cnf: { 'x5t#S256': 'A'.repeat(43) } }],
    ['cnf x5t#S256 empty', { cnf: { 'x5t#S256': '' } }],
    ['act text', { act: 'x' }],
    ['act null', { act: null }],
    ['act without sub', { act: {} }],
    ['act with a sub that is a number', { act: { sub: 1 } }],
    ['act of nine', { act: nested(9) }],
    ['act with a bad one inside', { act: { sub: 'a', act: { sub: '' } } }],
    ['crd a number', { crd: 1 }],
    ['acs empty', { acs: '' }],
  );
  return changes.map(([name, change]) => [`claims: ${name}`, made(scene, change)] as const);
}

function nested(depth: number): object {
  return depth === 1 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) };
}

/** What was signed is not one JSON object that everybody reads alike. */
function payloads(scene: AccessTokenScene): Attack[] {
  const by = scene.pairs[0] as Pair;
  const json = JSON.stringify(goodClaims(scene));
  const bytes = (text: string): Buffer =>
    Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(text, 'latin1')]);
  const raw: [string, unknown][] = [
    ['a list', [goodClaims(scene)]],
    ['a text', JSON.stringify(json)],
    ['null', 'null'],
    ['a number', '1'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['no JSON', 'x'],
    ['a byte order mark', `\ufeff${json}`],
    ['text behind it', `${json}x`],
    ['a NUL behind it', `${json}\0`],
    ['an object behind it', `${json}${json}`],
    ['a comma at the end', json.replace(/\}$/, ',}')],
    ['single quotes', json.replace(/"/g, "'")],
    ['a comment', json.replace('{', '{/**/')],
    ['names without quotes', json.replace('"iss"', 'iss')],
    ['NaN', json.replace('{', '{"x":NaN,')],
    ['Infinity for exp', json.replace(/"exp":\d+/, '"exp":Infinity')],
    ['1e400 for exp', json.replace(/"exp":\d+/, '"exp":1e400')],
    ['hexadecimal for exp', json.replace(/"exp":\d+/, '"exp":0xffffffff')],
    ['a zero before exp', json.replace('"exp":', '"exp":0')],
    ['no UTF-8', bytes(',"x":"\xff"}')],
    ['UTF-8 of a surrogate', bytes(',"x":"\xed\xa0\x80"}')],
    ['an overlong form', bytes(',"x":"\xc0\xaf"}')],
    ['a lone surrogate', json.replace('{', '{"x":"\\udc00",')],
    ['UTF-16', Buffer.from(json, 'utf16le')],
    ['UTF-16 with its mark', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(json, 'utf16le')])],
    ['33 levels', json.replace('{', `{"x":${'['.repeat(32)}${']'.repeat(32)},`)],
    ['5,000 levels', json.replace('{', `{"x":${'['.repeat(5000)}${']'.repeat(5000)},`)],
    ['claims of the prototype', `{"__proto__":${json}}`],
    ['claims of the constructor', `{"constructor":{"prototype":${json}}}`],
    ['a JWT as text', JSON.stringify(made(scene))],
    ['a JWT', made(scene)],
  ];
  for (const name of ['iss', 'aud', 'exp', 'scope', 'sub', 'client_id', 'jti']) {
    raw.push([`${name} twice`, json.replace('{', `{"${name}":"x",`)]);
    const escaped = `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
    raw.push([`${name} twice, once escaped`, json.replace('{', `{"${escaped}":"x",`)]);
  }
  return raw.map(([name, payload]) => [`payload: ${name}`, forge(headOf(by), payload, by)] as const);
}

/** A JWT of another kind, signed by the issuer's own key. */
function otherKinds(scene: AccessTokenScene): Attack[] {
  const by = scene.pairs[0] as Pair;
  const { issuer, audience, now } = scene;
  const common = { iss: issuer, aud: audience, iat: now, exp: now + 60 };
  const kinds: [string, object, object][] = [
    ['an ID token', { typ: 'JWT' }, { ...common, sub: 'payments', azp: 'payments', nonce: 'n' }],
    ['a cut-off feed', { typ: 'cutoffs+jwt' }, { ...common, from: 0, cursor: 0, entries: [] }],
    [
      'an introspection answer',
      { typ: 'token-introspection+jwt' },
      { ...common, token_introspection: goodClaims(scene) },
    ],
    ['a client assertion', { typ: 'JWT' }, { ...common, iss: 'payments', sub: 'payments', jti: 'j' }],
    ['a proof', { typ: 'dpop+jwt', jwk: by.jwk }, { jti: 'j', htm: 'GET', htu: audience, iat: now }],
    ['a security event', { typ: 'secevent+jwt' }, { ...common, jti: 'j', events: {} }],
    [
      'a status list',
      { typ: 'statuslist+jwt' },
      { ...common, sub: audience, status_list: { bits: 1, lst: '' } },
    ],
    [
      'an access token without client_id',
      { typ: 'at+jwt' },
      { ...goodClaims(scene), client_id: undefined, azp: 'payments' },
    ],
    [
      'an access token whose claims are one level down',
      { typ: 'at+jwt' },
      { ...common, claims: goodClaims(scene) },
    ],
  ];
  return kinds.map(([name, header, body]) => [
    `kind: ${name}`,
    forge({ alg: by.alg, kid: by.kid, ...header }, body, by),
  ]);
}

/** Odd and right: nothing in the standards forbids them. */
export function goodAccessTokens(scene: AccessTokenScene): Attack[] {
  const { issuer, audience, now, leeway } = scene;
  const by = scene.pairs[0] as Pair;
  const json = JSON.stringify(goodClaims(scene));
  const changes: [string, object][] = [
    ['as they come', {}],
    ['aud as a list', { aud: [audience] }],
    ['aud with others', { aud: ['urn:x', audience, 'urn:y'] }],
    ['no scope', { scope: undefined }],
    ['many scopes', { scope: Array.from({ length: 200 }, (_, i) => `s:${i}`).join(' ') }],
    ['a scope with all its characters', { scope: "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~" }],
    ['exp within the leeway', { iat: now - 700, exp: now - leeway + 1 }],
    ['iat within the leeway', { iat: now + leeway }],
    ['iat long ago', { iat: 0 }],
    ['nbf within the leeway', { nbf: now + leeway }],
    ['nbf past', { nbf: now - 1 }],
    ['act of eight', { act: nested(8) }],
    ['crd and acs', { crd: 'crd_1', acs: 'acs_1' }],
    ['claims of others', { azp: 'x', roles: ['a'], auth_time: now, tenant: { id: 1 } }],
    ['a claim named __proto__', JSON.parse('{"__proto__":{"a":1}}') as object],
    ['text of other alphabets', { name: 'Żółć 漢字 😀', sub: 'Żółć' }],
    ['a long jti', { jti: 'j'.repeat(500) }],
    ['31 levels', { x: JSON.parse(`${'['.repeat(31)}${']'.repeat(31)}`) as unknown }],
  ];
  const headersOf: [string, object][] = [
    ['typ with its prefix', { typ: 'application/at+jwt' }],
    ['typ in capitals', { typ: 'AT+JWT' }],
    ['typ with its prefix in capitals', { typ: 'Application/AT+jwt' }],
    ['members that nobody knows', { x: 1, y: ['z'] }],
    ['cty', { cty: 'x' }],
    ['a key that nobody looks at', { jwk: scene.stranger.jwk, jku: 'https://evil.example', x5c: ['x'] }],
  ];
  const raws: [string, string][] = [
    ['with space', JSON.stringify(goodClaims(scene), null, 2)],
    ['with space around', ` ${json}\n`],
    ['with names escaped', json.replace('"iss"', '"\\u0069ss"')],
    ['with exp as 1.8e9 and something', json.replace(/"exp":\d+/, '"exp":2.0e9')],
    ['in another order', JSON.stringify(Object.fromEntries(Object.entries(goodClaims(scene)).reverse()))],
    ['with slashes escaped', json.replace(issuer, issuer.replaceAll('/', '\\/'))],
  ];
  return [
    ...changes.map(([name, change]) => [`claims: ${name}`, made(scene, change)] as const),
    ...headersOf.map(([name, header]) => [`header: ${name}`, made(scene, {}, header)] as const),
    ...raws.map(([name, payload]) => [`payload: ${name}`, forge(headOf(by), payload, by)] as const),
    ...scene.pairs.map((pair) => [`signed by ${pair.alg}`, made(scene, {}, {}, pair)] as const),
  ];
}
