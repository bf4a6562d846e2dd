/**
 * npm `oidc-provider` doing what the bench asks of everybody: client_credentials with client_secret_basic, one resource
 * indicator, an ES256 JWT as access token. Its own in-memory adapter, its own request handler on node:http.
 *
 * --clients N   how many clients it knows (1)
 * --keys        they prove themselves with private_key_jwt instead, each with a P-256 key
 *
 * Prints one JSON line when it listens: {"token_endpoint", "issuer", "resource", "scope", "clients": [{"client_id", "client_secret"}]}.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import Provider from 'oidc-provider';

const { values: flags } = parseArgs({
  options: { clients: { type: 'string', default: '1' }, keys: { type: 'boolean', default: false } },
});
const resource = 'https://api.bench.example/';
const scope = 'read list';
const credentials = Array.from({ length: Number(flags.clients) }, (_, at) => ({
  client_id: `bench-${at}`,
  client_secret: randomBytes(24).toString('base64url'),
}));
const pairs = credentials.map(() =>
  flags.keys ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined,
);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const configuration = {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }] },
  clients: credentials.map((one, at) => ({
    ...one,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    ...(pairs[at] === undefined
      ? { token_endpoint_auth_method: 'client_secret_basic' }
      : {
          client_secret: undefined,
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks: { keys: [{ ...pairs[at].publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
        }),
    id_token_signed_response_alg: 'ES256',
  })),
  ttl: { ClientCredentials: 600 },
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope,
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
};

const known = credentials.map((one, at) => ({
  ...one,
  jwk: pairs[at]?.privateKey.export({ format: 'jwk' }),
}));
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration).callback());
  process.stdout.write(
    `${JSON.stringify({ token_endpoint: `${issuer}/token`, issuer, resource, scope, clients: known })}\n`,
  );
});
