// private_key_jwt: a new assertion for each request, RFC 7523 §2.2 and §3; for the issuer alone, RFC 10070.
import { randomUUID } from 'node:crypto';
import { CLIENT_ASSERTION_TYP, CLIENT_ASSERTION_TYPE, encodeBase64url } from '@countersign/protocol';
import type { ClientAuthMethod } from './client-auth.ts';

/** Seconds: an assertion is used at once or never. */
const LIFETIME = 60;

export const privateKeyJwt: ClientAuthMethod = {
  name: 'private_key_jwt',
  async prove({ clientId, issuer, signer, keyId, newKey, authorityClock }) {
    if (signer === undefined) throw new TypeError('this method needs a key');
    const kid = keyId ?? signer.kid;
    const header = {
      alg: signer.alg,
      typ: CLIENT_ASSERTION_TYP,
      ...(kid === undefined ? undefined : { kid }),
    };
    const iat = authorityClock.now();
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      jti: randomUUID(),
      iat,
      exp: iat + LIFETIME,
      ...(newKey === undefined ? undefined : { cnf: { jkt: newKey } }),
    };
    const input = [header, claims].map((part) => encodeBase64url(JSON.stringify(part))).join('.');
    return {
      headers: {},
      form: [
        ['client_id', clientId],
        ['client_assertion_type', CLIENT_ASSERTION_TYPE],
        ['client_assertion', `${input}.${await signer.sign(input)}`],
      ],
    };
  },
};
