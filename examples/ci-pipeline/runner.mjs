// A CI runner as GitHub Actions has them, on loopback: a job asks it for an ID token and gets one that says which repository
// it runs for, signed by the issuer of the platform. https://docs.github.com/actions/reference/openid-connect-reference
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

export const ISSUER = 'https://ci.example';
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = publicKey.export({ format: 'jwk' });
const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 12);

/** What the platform publishes; here the authority is told instead. */
export const JWKS = { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] };

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(claims) {
  const iat = Math.floor(Date.now() / 1000);
  const whole = { iss: ISSUER, iat, nbf: iat, exp: iat + 300, jti: randomUUID(), ...claims };
  const input = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(whole)}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' };
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

/** A push to main of octo-org/shop. */
export const PUSH = {
  sub: 'repo:octo-org/shop:ref:refs/heads/main',
  repository: 'octo-org/shop',
  repository_id: '456789',
  repository_owner_id: '123456',
  ref: 'refs/heads/main',
  event_name: 'push',
};

/**
 * Runs a job: what it finds in its environment gives ID tokens with these claims, for the audience it asks for.
 * @param {object} claims
 * @param {(env: Record<string, string>) => Promise<void>} job
 */
export async function runJob(claims, job) {
  const bearer = randomUUID();
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${bearer}`) return response.writeHead(401).end();
    const aud = new URL(request.url, 'http://runner').searchParams.get('audience');
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ value: signed({ ...claims, aud }) }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/token?api-version=2`;
  try {
    await job({ ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
