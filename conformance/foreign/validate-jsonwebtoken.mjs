// jsonwebtoken, with jwks-rsa to fetch the key. CA: an agent, as jwks-rsa has an option for it.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import jwt from 'jsonwebtoken';
import jwksClient from 'jwks-rsa';

const { TOKEN, JWKS_URI, ISSUER, RESOURCE, CA_FILE, ALG } = process.env;
const keys = jwksClient({ jwksUri: JWKS_URI, requestAgent: new Agent({ ca: readFileSync(CA_FILE) }) });
const claims = await new Promise((resolve, reject) => {
  jwt.verify(
    TOKEN,
    (header, done) => keys.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey())),
    { algorithms: [ALG ?? 'ES256'], issuer: ISSUER, audience: RESOURCE },
    (error, value) => (error ? reject(error) : resolve(value)),
  );
});
console.log(JSON.stringify(claims));
