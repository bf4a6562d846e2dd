// The client-credentials flow that oauth4webapi tests itself with, in each of its forms: token, API, introspection, revocation,
// introspection. With DPOP the token is bound, with JWT the introspection response is signed. CA: NODE_EXTRA_CA_CERTS.
import * as oauth from 'oauth4webapi';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PRIVATE_JWK, RESOURCE, SCOPE, API_URL, AUTH, DPOP, JWT } =
  process.env;
const issuer = new URL(ISSUER);
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }),
);
const client = {
  client_id: CLIENT_ID,
  ...(JWT === 'yes' ? { introspection_signed_response_alg: 'ES256' } : {}),
};
const methods = {
  none: () => oauth.None(),
  basic: () => oauth.ClientSecretBasic(CLIENT_SECRET),
  post: () => oauth.ClientSecretPost(CLIENT_SECRET),
  private_key_jwt: async () => {
    const { alg: _, ...jwk } = JSON.parse(PRIVATE_JWK);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    return oauth.PrivateKeyJwt(await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']));
  },
};
const auth = await methods[AUTH]();
const dpop = DPOP === 'yes' ? oauth.DPoP(client, await oauth.generateKeyPair('ES256')) : undefined;

/** Once more where the server has told the nonce that it wants. */
async function withNonce(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return ask();
  }
}

const parameters = new URLSearchParams({ scope: SCOPE, resource: RESOURCE });
const tokens = await withNonce(async () =>
  oauth.processClientCredentialsResponse(
    as,
    client,
    await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, { DPoP: dpop }),
  ),
);
const answer = await withNonce(() =>
  oauth.protectedResourceRequest(
    tokens.access_token,
    'GET',
    new URL(API_URL),
    undefined,
    undefined,
    dpop === undefined ? undefined : { DPoP: dpop },
  ),
);

async function introspected() {
  const response = await oauth.introspectionRequest(as, client, auth, tokens.access_token, {
    requestJwtResponse: JWT === 'yes',
  });
  const said = await oauth.processIntrospectionResponse(as, client, response);
  if (JWT === 'yes') await oauth.validateApplicationLevelSignature(as, response);
  return said;
}

const before = await introspected();
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, tokens.access_token));
const after = await introspected();
console.log(
  JSON.stringify({
    token_type: tokens.token_type,
    scope: tokens.scope,
    status: answer.status,
    before,
    after,
  }),
);
