// fast-jwt, with get-jwks to find the key through the issuer's metadata. CA: NODE_EXTRA_CA_CERTS.
import { createVerifier } from 'fast-jwt';
import buildGetJwks from 'get-jwks';

const { TOKEN, ISSUER, RESOURCE, ALG } = process.env;
const getJwks = buildGetJwks({ providerDiscovery: true, issuersWhitelist: [ISSUER] });
const verify = createVerifier({
  key: ({ header }) => getJwks.getPublicKey({ kid: header.kid, alg: header.alg, domain: ISSUER }),
  algorithms: [ALG ?? 'ES256'],
  allowedIss: ISSUER,
  allowedAud: RESOURCE,
  checkTyp: 'at+jwt',
  requiredClaims: ['iss', 'aud', 'exp', 'jti'],
});
console.log(JSON.stringify(await verify(TOKEN)));
