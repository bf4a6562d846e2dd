// jose with a remote JWKS, every check that it offers switched on. CA: NODE_EXTRA_CA_CERTS.
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { TOKEN, JWKS_URI, ISSUER, RESOURCE, ALG } = process.env;
const { payload } = await jwtVerify(TOKEN, createRemoteJWKSet(new URL(JWKS_URI)), {
  issuer: ISSUER,
  audience: RESOURCE,
  typ: 'at+jwt',
  algorithms: [ALG ?? 'ES256'],
  requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
});
console.log(JSON.stringify(payload));
