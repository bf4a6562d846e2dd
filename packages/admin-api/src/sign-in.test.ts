import { expect, test } from 'vitest';
import { signInOfferIn, signInProviderIn, signInProviderUrl } from './sign-in.ts';

const AUTHORITY = 'https://authority.example';
const OFFER = {
  issuer: 'https://login.example/realms/a',
  client_id: 'cli',
  console_client_id: 'console',
  scope: 'openid',
  ca: null,
  token_endpoint: `${AUTHORITY}/oauth/token`,
  resource: `${AUTHORITY}/v1`,
};
const offer = (body: unknown, status = 200, client: 'cli' | 'console' = 'cli') =>
  signInOfferIn(Response.json(body, { status }), { authority: AUTHORITY, client });

test('an offer is read for the client that asks', async () => {
  expect(await offer(OFFER)).toEqual({
    issuer: OFFER.issuer,
    clientId: 'cli',
    scope: 'openid',
    ca: null,
    tokenEndpoint: OFFER.token_endpoint,
    resource: OFFER.resource,
  });
  expect(await offer({ ...OFFER, ca: 'PEM' }, 200, 'console')).toMatchObject({
    clientId: 'console',
    ca: 'PEM',
  });
});

test.each([
  ['nobody signs in', OFFER, 404, { fault: 'nobody' }],
  ['an error', OFFER, 500, { fault: 'incomplete' }],
  ['no object', 'x', 200, { fault: 'incomplete' }],
  ['no client', { ...OFFER, client_id: undefined }, 200, { fault: 'incomplete' }],
  ['an issuer in the clear', { ...OFFER, issuer: 'http://login.example' }, 200, { fault: 'incomplete' }],
  [
    'a token endpoint of another authority',
    { ...OFFER, token_endpoint: 'https://evil.example/oauth/token' },
    200,
    { fault: 'elsewhere', endpoint: 'https://evil.example/oauth/token' },
  ],
  [
    'a resource of another authority',
    { ...OFFER, resource: 'https://evil.example/v1' },
    200,
    { fault: 'elsewhere', endpoint: OFFER.token_endpoint },
  ],
])('an answer with %s is no offer', async (_, body, status, fault) => {
  expect(await offer(body, status)).toEqual(fault);
});

const ISSUER = OFFER.issuer;
const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: 'https://login.example/authorize',
  token_endpoint: 'http://127.0.0.1:8080/token',
  code_challenge_methods_supported: ['plain', 'S256'],
  authorization_response_iss_parameter_supported: true,
};
const provider = (body: unknown, status = 200) => signInProviderIn(Response.json(body, { status }), ISSUER);

test('a provider is what its metadata say', async () => {
  expect(signInProviderUrl(`${ISSUER}/`)).toBe(`${ISSUER}/.well-known/openid-configuration`);
  expect(await provider(METADATA)).toEqual({
    issuer: ISSUER,
    authorizationEndpoint: 'https://login.example/authorize',
    tokenEndpoint: 'http://127.0.0.1:8080/token',
    saysIssuer: true,
  });
});

test.each([
  ['an error', METADATA, 404, 'status 404'],
  ['nothing', null, 200, 'they are of another issuer'],
  ['another issuer', { ...METADATA, issuer: `${ISSUER}/` }, 200, 'they are of another issuer'],
  [
    'no S256',
    { ...METADATA, code_challenge_methods_supported: ['plain'] },
    200,
    'PKCE with S256 is not offered',
  ],
  [
    'an endpoint in the clear',
    { ...METADATA, token_endpoint: 'http://login.example/token' },
    200,
    'an endpoint is missing or not https',
  ],
])('metadata with %s are refused', async (_, body, status, problem) => {
  expect(await provider(body, status)).toBe(problem);
});
