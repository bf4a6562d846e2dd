// Proofs that must not be taken, and some that look odd and must be: RFC 9449 §4.2, §4.3, §7.1.
import { createHash, constants, sign } from 'node:crypto';
import { b64, forge, hmac, nonCanonical, type Pair, part, signature, withSignature } from './forge.ts';

export interface ProofScene {
  readonly token: string;
  readonly method: string;
  readonly url: string;
  /** Epoch seconds. */
  readonly now: number;
  /** The token is bound to this key, an ES256 one. */
  readonly holder: Pair;
  readonly stranger: Pair;
  /** Of other algorithms, each bound to nothing. */
  readonly others: readonly Pair[];
}

export type ProofAttack = readonly [name: string, proof: string];

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
let made = 0;

export function goodProofClaims({ token, method, url, now }: ProofScene): Record<string, unknown> {
  return { jti: `jti-${made++}`, htm: method, htu: url, iat: now, ath: hashOf(token) };
}

export function proofAttacks(scene: ProofScene): ProofAttack[] {
  return [
    ...forms(scene),
    ...headers(scene),
    ...keys(scene),
    ...signatures(scene),
    ...claims(scene),
    ...payloads(scene),
    ...otherKinds(scene),
  ];
}

function headOf({ alg, jwk }: Pair): Record<string, unknown> {
  return { typ: 'dpop+jwt', alg, jwk };
}

function proof(scene: ProofScene, change: object = {}, header: object = {}, by = scene.holder): string {
  return forge({ ...headOf(by), ...header }, { ...goodProofClaims(scene), ...change }, by);
}

function forms(scene: ProofScene): ProofAttack[] {
  const good = proof(scene);
  const [head, body, tail] = good.split('.') as [string, string, string];
  const texts: [string, string][] = [
    ['nothing', ''],
    ['a word', 'proof'],
    ['a space before', ` ${good}`],
    ['a space behind', `${good} `],
    ['a line end behind', `${good}\n`],
    ['two, as a proxy joins them', `${good}, ${proof(scene)}`],
    ['the same twice', `${good},${good}`],
    ['the scheme before', `DPoP ${good}`],
    ['quotes', `"${good}"`],
    ['padding', `${good}==`],
    ['no signature', `${head}.${body}.`],
    ['two parts', `${head}.${body}`],
    ['four parts', `${good}.${tail}`],
    ['no payload', `${head}..${tail}`],
    ['stray bits', `${head}.${body}.${nonCanonical(tail)}`],
    ['a stray character', `${head}.${body.slice(0, 5)}!${body.slice(5)}.${tail}`],
    ['a letter of another alphabet', `${good.slice(0, -1)}\u0430`],
    ['JSON', JSON.stringify({ protected: head, payload: body, signature: tail })],
    ['8,193 characters', proof(scene, { more: 'x'.repeat(6200) })],
    ['256 kB', proof(scene, { more: 'x'.repeat(190_000) })],
    ['256 kB of dots', '.'.repeat(262_144)],
  ];
  return texts.map(([name, text]) => [`form: ${name}`, text]);
}

function headers(scene: ProofScene): ProofAttack[] {
  const { holder } = scene;
  const json = JSON.stringify(headOf(holder));
  const objects: [string, object][] = [
    ['no typ', { typ: undefined }],
    ['typ JWT', { typ: 'JWT' }],
    ['typ at+jwt', { typ: 'at+jwt' }],
    ['typ null', { typ: null }],
    ['typ as a list', { typ: ['dpop+jwt'] }],
    ['typ with a space', { typ: 'dpop+jwt ' }],
    ['typ of a client assertion', { typ: 'client-authentication+jwt' }],
    ['crit of something unknown', { crit: ['x'], x: 1 }],
    ['an empty crit', { crit: [] }],
    ['b64', { crit: ['b64'], b64: false }],
    ['enc', { enc: 'A128GCM' }],
    ['alg none', { alg: 'none' }],
    ['alg HS256', { alg: 'HS256' }],
    ['alg in small letters', { alg: 'es256' }],
    ['alg ES384 under P-256', { alg: 'ES384' }],
    ['alg RS256 under P-256', { alg: 'RS256' }],
    ['alg EdDSA under P-256', { alg: 'EdDSA' }],
    ['no alg', { alg: undefined }],
    ['alg as a list', { alg: ['ES256'] }],
    ['alg unknown', { alg: 'ES256K' }],
  ];
  const raw: [string, unknown][] = [
    ['a list', [headOf(holder)]],
    ['null', 'null'],
    ['a byte order mark', `\ufeff${json}`],
    ['typ twice', json.replace('{', '{"typ":"JWT",')],
    ['jwk twice', json.replace('{', `{"jwk":${JSON.stringify(scene.stranger.jwk)},`)],
    ['alg twice, once escaped', json.replace('{', '{"\\u0061lg":"none",')],
    ['no UTF-8', Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])],
  ];
  return [...objects, ...raw].map(([name, header]) => [
    `header: ${name}`,
    forge(
      raw.some(([each]) => each === name) ? header : { ...headOf(holder), ...(header as object) },
      goodProofClaims(scene),
      holder,
    ),
  ]);
}

/** The key is missing, private, symmetric, another's, or not fit for it. */
function keys(scene: ProofScene): ProofAttack[] {
  const { holder, stranger } = scene;
  const { d } = holder.privateKey.export({ format: 'jwk' });
  const jwks: [string, unknown][] = [
    ['none', undefined],
    ['null', null],
    ['a text', JSON.stringify(holder.jwk)],
    ['a list', [holder.jwk]],
    ['an empty object', {}],
    ['with its private half', { ...holder.jwk, d }],
    ['with an empty private half', { ...holder.jwk, d: '' }],
    ['with a secret', { ...holder.jwk, k: 'AAAA' }],
    ['a secret', { kty: 'oct', k: 'AAAA' }],
    ['for encryption', { ...holder.jwk, use: 'enc' }],
    ['for other operations', { ...holder.jwk, key_ops: ['encrypt'] }],
    ['for another algorithm', { ...holder.jwk, alg: 'ES384' }],
    ['of another curve', { ...holder.jwk, crv: 'P-384' }],
    ['of an unknown kind', { ...holder.jwk, kty: 'XX' }],
    ['without y', { ...holder.jwk, y: undefined }],
    ['off the curve', { ...holder.jwk, y: holder.jwk['x'] }],
    ['with a short coordinate', { ...holder.jwk, x: String(holder.jwk['x']).slice(0, -4) }],
    ['with a long coordinate', { ...holder.jwk, x: `AAAA${String(holder.jwk['x'])}` }],
    ['of a stranger', stranger.jwk],
    ['by reference', { jku: 'https://evil.example/jwks' }],
  ];
  return [
    ...jwks.map(([name, jwk]) => [`key: ${name}`, proof(scene, {}, { jwk })] as const),
    ['key: of a stranger, who signed with it', proof(scene, {}, {}, stranger)],
    ...scene.others.map((by) => [`key: of a stranger, of ${by.alg}`, proof(scene, {}, {}, by)] as const),
    ['key: by kid only', proof(scene, {}, { jwk: undefined, kid: 'k0' })],
  ];
}

function signatures(scene: ProofScene): ProofAttack[] {
  const { holder, stranger } = scene;
  const good = proof(scene);
  const [head, body] = good.split('.') as [string, string];
  const bend = (name: string, change: (bytes: Buffer) => Uint8Array): ProofAttack => [
    `signature: ${name}`,
    withSignature(good, change),
  ];
  const pem = String(holder.publicKey.export({ format: 'pem', type: 'spki' }));
  const rsa = scene.others.find(({ alg }) => alg === 'PS256') as Pair;
  const input = `${part(headOf(rsa))}.${part(goodProofClaims(scene))}`;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return [
    bend('of zeros', () => Buffer.alloc(64)),
    bend('of DER', () => sign('sha256', Buffer.from(`${head}.${body}`), holder.privateKey)),
    bend('cut', (bytes) => bytes.subarray(0, 63)),
    bend('longer', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
    bend('swapped', (bytes) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)])),
    bend('of a stranger', () => signature('ES256', `${head}.${body}`, stranger.privateKey)),
    bend('over the header only', () => signature('ES256', head, holder.privateKey)),
    ['signature: HMAC under the PEM', hmac({ ...headOf(holder), alg: 'HS256' }, goodProofClaims(scene), pem)],
    [
      'signature: HMAC under the JWK',
      hmac({ ...headOf(holder), alg: 'HS256' }, goodProofClaims(scene), JSON.stringify(holder.jwk)),
    ],
    ['signature: none', `${part({ ...headOf(holder), alg: 'none' })}.${part(goodProofClaims(scene))}.`],
    ['signature: another payload under it', good.replace(body, part(goodProofClaims(scene)))],
    ['signature: PKCS #1 under PS256', `${input}.${b64(sign('sha256', Buffer.from(input), rsa.privateKey))}`],
    [
      'signature: PSS without salt',
      `${input}.${b64(sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding, saltLength: 0 }))}`,
    ],
  ];
}

function claims(scene: ProofScene): ProofAttack[] {
  const { url, now, token } = scene;
  const { origin, host, pathname } = new URL(url);
  const changes: [string, object][] = [];
  for (const name of ['jti', 'htm', 'htu', 'iat', 'ath']) {
    changes.push([`no ${name}`, { [name]: undefined }], [`${name} null`, { [name]: null }]);
    changes.push(
      [`${name} a list`, { [name]: [goodProofClaims(scene)[name]] }],
      [`${name} true`, { [name]: true }],
    );
  }
  changes.push(
    ['jti empty', { jti: '' }],
    ['jti a number', { jti: 1 }],
    ['jti of 257 characters', { jti: 'j'.repeat(257) }],
    ['htm in small letters', { htm: scene.method.toLowerCase() }],
    ['htm of another method', { htm: 'POST' }],
    ['htm with a space', { htm: `${scene.method} ` }],
    ['htm empty', { htm: '' }],
    ['htm of two', { htm: `${scene.method},POST` }],
    ['htu of another path', { htu: `${origin}/other` }],
    ['htu of a path in another case', { htu: `${origin}${pathname.toUpperCase()}` }],
    ['htu with a slash behind', { htu: `${url}/` }],
    ['htu of a path that begins alike', { htu: `${url}x` }],
    ['htu of the path above', { htu: `${url}/..` }],
    ['htu of the root', { htu: `${origin}/` }],
    ['htu with an escaped slash', { htu: `${origin}%2F${pathname.slice(1)}` }],
    ['htu of another host', { htu: url.replace(host, 'evil.example') }],
    ['htu of a host that begins alike', { htu: url.replace(host, `${host}.evil.example`) }],
    ['htu with the host as user', { htu: url.replace(host, `${host}@evil.example`) }],
    ['htu with a user', { htu: url.replace('//', '//user@') }],
    ['htu of another port', { htu: url.replace(host, `${host}:8443`) }],
    ['htu of http', { htu: url.replace('https:', 'http:') }],
    ['htu without a scheme', { htu: url.replace('https:', '') }],
    ['htu of a path only', { htu: pathname }],
    ['htu with a backslash', { htu: url.replace('//', '\\\\') }],
    ['htu with a tab', { htu: url.replace('://', '://\t') }],
    ['htu with a space before', { htu: ` ${url}` }],
    ['htu with a dot behind the host', { htu: url.replace(host, `${host}.`) }],
    ['htu empty', { htu: '' }],
    ['htu of two', { htu: `${url} ${url}` }],
    ['iat 61 seconds ago', { iat: now - 61 }],
    ['iat 31 seconds ahead', { iat: now + 31 }],
    ['iat 0', { iat: 0 }],
    ['iat negative', { iat: -1 }],
    ['iat as text', { iat: String(now) }],
    ['iat in milliseconds', { iat: now * 1000 }],
    ['exp past', { exp: now - 60 }],
    ['exp as text', { exp: 'x' }],
    ['nbf in the future', { nbf: now + 600 }],
    ['ath of another token', { ath: hashOf(`${token}x`) }],
    ['ath that is the token', { ath: token }],
    ['ath in hexadecimal', { ath: createHash('sha256').update(token).digest('hex') }],
    ['ath in base64', { ath: createHash('sha256').update(token).digest('base64') }],
    ['ath cut', { ath: hashOf(token).slice(0, -1) }],
    ['ath by SHA-512', { ath: createHash('sha512').update(token).digest('base64url') }],
    ['ath empty', { ath: '' }],
    ['nonce a number', { nonce: 1 }],
  );
  return changes.map(([name, change]) => [`claims: ${name}`, proof(scene, change)]);
}

function payloads(scene: ProofScene): ProofAttack[] {
  const { holder } = scene;
  const json = JSON.stringify(goodProofClaims(scene));
  const raw: [string, unknown][] = [
    ['a list', [goodProofClaims(scene)]],
    ['null', 'null'],
    ['no JSON', 'x'],
    ['a byte order mark', `\ufeff${json}`],
    ['text behind it', `${json}x`],
    ['no UTF-8', Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])],
    ['claims of the prototype', `{"__proto__":${json}}`],
    ['nine levels', json.replace('{', `{"x":${'['.repeat(8)}${']'.repeat(8)},`)],
    ['Infinity for iat', json.replace(/"iat":\d+/, '"iat":1e999')],
  ];
  for (const name of ['jti', 'htm', 'htu', 'iat', 'ath'])
    raw.push([`${name} twice`, json.replace('{', `{"${name}":"x",`)]);
  return raw.map(([name, payload]) => [`payload: ${name}`, forge(headOf(holder), payload, holder)]);
}

function otherKinds(scene: ProofScene): ProofAttack[] {
  const { holder, token, now } = scene;
  return [
    ['kind: the token itself', token],
    [
      'kind: the proof of a token request',
      proof(scene, { htm: 'POST', htu: 'https://as.example.com/oauth/token', ath: undefined }),
    ],
    [
      'kind: an access token of the holder’s',
      forge({ ...headOf(holder), typ: 'at+jwt' }, { ...goodProofClaims(scene), exp: now + 60 }, holder),
    ],
    [
      'kind: a client assertion',
      forge(
        { alg: 'ES256', typ: 'JWT' },
        { iss: 'c', sub: 'c', aud: 'https://as.example.com', jti: 'j', iat: now, exp: now + 60 },
        holder,
      ),
    ],
  ];
}

/** Odd and right. */
export function goodProofs(scene: ProofScene): ProofAttack[] {
  const { url, now, holder } = scene;
  const { host } = new URL(url);
  const json = JSON.stringify(goodProofClaims(scene));
  const changes: [string, object][] = [
    ['as they come', {}],
    ['60 seconds old', { iat: now - 60 }],
    ['30 seconds ahead', { iat: now + 30 }],
    ['htu with a query', { htu: `${url}?a=b&c=%2F` }],
    ['htu with a fragment', { htu: `${url}#x` }],
    ['htu with its port', { htu: url.replace(host, `${host}:443`) }],
    ['htu in capitals', { htu: url.replace(`https://${host}`, `HTTPS://${host.toUpperCase()}`) }],
    ['htu with dots', { htu: url.replace(host, `${host}/x/..`) }],
    [
      'htu with a letter escaped',
      {
        htu: url.replace(
          /\/(\w)(\w*)$/,
          (_, a: string, b: string) => `/%${a.charCodeAt(0).toString(16)}${b}`,
        ),
      },
    ],
    ['a jti of 256 characters', { jti: 'j'.repeat(256) }],
    ['a jti of one character', { jti: 'j' }],
    ['a jti of other alphabets', { jti: '漢字😀' }],
    ['a nonce that nobody asked for', { nonce: 'n' }],
    ['claims of others', { x: { y: [1] }, aud: 'x', sub: 'y' }],
    ['an exp and an nbf', { exp: now + 60, nbf: now }],
  ];
  const headersOf: [string, object][] = [
    ['members that nobody knows', { x: 1 }],
    ['a kid', { kid: 'k' }],
    [
      'a jwk that says what it is for',
      { jwk: { ...holder.jwk, use: 'sig', alg: 'ES256', kid: 'k', key_ops: ['verify'] } },
    ],
    ['a jwk with members of others', { jwk: { ...holder.jwk, x5t: 'x', ext: true } }],
  ];
  return [
    ...changes.map(([name, change]) => [`claims: ${name}`, proof(scene, change)] as const),
    ...headersOf.map(([name, header]) => [`header: ${name}`, proof(scene, {}, header)] as const),
    ['payload: with space', forge(headOf(holder), json.replace(/,/g, ' ,\n '), holder)],
  ];
}
