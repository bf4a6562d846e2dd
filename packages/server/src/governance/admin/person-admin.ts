import { limitedToOwn, type Role, ROLES, scopesOfRoles as permissionsOf } from '@countersign/admin-api';
import type { AccessTokenClaims, TokenScheme } from '@countersign/protocol';
import { type HttpRequest } from '../../http/request.ts';
import { personPrincipal, type SignedInPerson } from '../../registry/signed-in-person.ts';
import type { Admin } from './admin.ts';

/** What is no role, however much it looks like one, is nothing. */
function known(names: readonly string[]): readonly Role[] {
  return ROLES.filter((role) => names.includes(role));
}

/** For who issues a person's token. */
export function scopesOfRoles(names: readonly string[]): readonly string[] {
  return permissionsOf(known(names));
}

/** What a person who presents this token may do: what its roles hold today, and no more than the token was issued for. */
export function personAdmin(
  person: SignedInPerson,
  claims: AccessTokenClaims,
  scheme: TokenScheme,
  request: Pick<HttpRequest, 'id' | 'source'>,
): Admin {
  const { issuer, subject, handle, signedInAt } = person;
  const roles = known(person.roles);
  const issued: ReadonlySet<string> = new Set(claims.scope);
  const scopes = permissionsOf(roles).filter((scope) => issued.has(scope));
  return {
    actor: {
      identity: personPrincipal(handle),
      person: { issuer, subject, handle, signedInAt },
      requestId: request.id,
      source: request.source,
    },
    scheme,
    boundTo: 'dpop',
    scopes: new Set(scopes),
    unlimited: new Set(scopes.filter((scope) => !limitedToOwn(roles, scope))),
    person: { ...person, roles, jti: claims.jti, expiresAt: claims.exp * 1000 },
  };
}
