/**
 * The floor: a bare node:http server that checks a client secret against a stored HMAC and signs one ES256 access token
 * (RFC 6749 §4.4, RFC 9068). No policy, no audit, no storage. Written as one writes it at first, with nothing tuned:
 * the yardstick "what does plain Node cost".
 *
 * --clients N     how many clients it knows (1)
 * --key-object    gives `sign` the key itself and converts DER by hand: on Node 24 an options object makes OpenSSL
 *                 prepare the key anew for every signature, which doubles its price
 *
 * Prints one JSON line when it listens: {"token_endpoint", "resource", "scope", "clients": [{"client_id", "client_secret"}]}.
 */
import { createHmac, generateKeyPairSync, randomBytes, sign, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { clients: { type: 'string', default: '1' }, 'key-object': { type: 'boolean', default: false } },
});
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const hmacKey = randomBytes(32);
const resource = 'https://api.bench.example/';
const scopes = ['read', 'list'];
let issuer = '';

const digestOf = (secret) => createHmac('sha256', hmacKey).update(secret).digest();
const credentials = Array.from({ length: Number(flags.clients) }, (_, at) => ({
  client_id: `bench-${at}`,
  client_secret: randomBytes(24).toString('base64url'),
}));
const digests = new Map(credentials.map((one) => [one.client_id, digestOf(one.client_secret)]));

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** One INTEGER of a DER signature as 32 bytes. */
function fixedLength(der, at) {
  const bytes = der.subarray(at + 2, at + 2 + der[at + 1]);
  return bytes.length >= 32
    ? bytes.subarray(bytes.length - 32)
    : Buffer.concat([Buffer.alloc(32 - bytes.length), bytes]);
}

function signature(input) {
  if (!flags['key-object']) return sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const der = sign('sha256', input, privateKey);
  return Buffer.concat([fixedLength(der, 2), fixedLength(der, 4 + der[3])]);
}

function accessToken(clientId, scope) {
  const now = Math.floor(Date.now() / 1000);
  const jti = randomBytes(16).toString('base64url');
  const claims = {
    iss: issuer,
    sub: clientId,
    client_id: clientId,
    aud: resource,
    scope,
    iat: now,
    exp: now + 600,
    jti,
  };
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })}.${encode(claims)}`;
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`;
}

function answer(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Pragma: 'no-cache',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

function tokenResponse(authorization, text) {
  const basic = /^Basic (.+)$/i.exec(authorization ?? '');
  if (basic === null) return [401, { error: 'invalid_client' }];
  const [id, secret] = Buffer.from(basic[1], 'base64').toString().split(':').map(decodeURIComponent);
  const digest = digests.get(id);
  if (digest === undefined || !timingSafeEqual(digest, digestOf(secret)))
    return [401, { error: 'invalid_client' }];
  const form = new URLSearchParams(text);
  if (form.get('grant_type') !== 'client_credentials') return [400, { error: 'unsupported_grant_type' }];
  if (form.get('resource') !== resource) return [400, { error: 'invalid_target' }];
  const asked = (form.get('scope') ?? '').split(' ');
  const scope = asked.filter((name) => scopes.includes(name)).join(' ');
  if (scope === '') return [400, { error: 'invalid_scope' }];
  return [200, { access_token: accessToken(id, scope), token_type: 'Bearer', expires_in: 600, scope }];
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const [status, value] = tokenResponse(request.headers.authorization, Buffer.concat(parts).toString());
    answer(response, status, value);
  });
});

server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  const ready = {
    token_endpoint: `${issuer}/token`,
    resource,
    scope: scopes.join(' '),
    clients: credentials,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
