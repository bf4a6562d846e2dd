// What stands in an opaque token: the claims of RFC 9068 §2.2, in as few bytes as they need.
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { IssueTerms } from './authorization.ts';

/** The members of the list that is sealed; what is the same for all tokens, or stands before the seal, is not in it. */
type OpaqueClaims = readonly [
  clientId: string,
  crd: string,
  acs: string,
  aud: string,
  scope: string,
  iat: number,
  lifetime: number,
  further?: { readonly sub?: string; readonly cnf?: object; readonly act?: object; readonly via?: object },
];

export function writeOpaqueClaims(
  { clientId, credentialId }: { readonly clientId: string; readonly credentialId: string },
  { access, resourceServer }: EffectiveAccess,
  { scope, iat, lifetime }: { readonly scope: string; readonly iat: number; readonly lifetime: number },
  terms: IssueTerms | undefined,
): string {
  const fixed = [clientId, credentialId, access.id, resourceServer.identifier, scope, iat, lifetime] as const;
  const { confirmation: cnf, delegation } = terms ?? {};
  const claims: OpaqueClaims =
    terms === undefined
      ? fixed
      : [
          ...fixed,
          {
            ...(delegation === undefined ? {} : { sub: delegation.subject }),
            ...(cnf === undefined ? {} : { cnf }),
            ...(delegation?.actor === undefined ? {} : { act: delegation.actor }),
            ...(delegation?.via === undefined ? {} : { via: delegation.via }),
          },
        ];
  return JSON.stringify(claims);
}

/** The payload that a JWT with the same content would have. `text` has been opened: it was written here. */
export function readOpaqueClaims(text: string, issuer: string, jti: string): string {
  const [clientId, crd, acs, aud, scope, iat, lifetime, further] = JSON.parse(text) as OpaqueClaims;
  return JSON.stringify({
    iss: issuer,
    aud,
    sub: further?.sub ?? clientId,
    client_id: clientId,
    crd,
    acs,
    scope,
    iat,
    exp: iat + lifetime,
    jti,
    ...further,
  });
}
