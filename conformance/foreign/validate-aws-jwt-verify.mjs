// aws-jwt-verify's verifier for any issuer. CA: NODE_EXTRA_CA_CERTS.
import { JwtVerifier } from 'aws-jwt-verify';

const { TOKEN, JWKS_URI, ISSUER, RESOURCE, ALG } = process.env;
const verifier = JwtVerifier.create({
  issuer: ISSUER,
  audience: RESOURCE,
  jwksUri: JWKS_URI,
  customJwtCheck: ({ header }) => {
    if (header.alg !== (ALG ?? 'ES256')) throw new Error(`unexpected ${header.alg}`);
  },
});
console.log(JSON.stringify(await verifier.verify(TOKEN)));
