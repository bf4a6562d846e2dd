// The JWT bearer grant: RFC 7523 §2.1, with a resource indicator (RFC 8707 §2.2).
import { JWT_BEARER } from '@countersign/protocol';
import type { ClientAuthMethod } from '../client-auth/client-auth.ts';
import type { Target } from '../settings.ts';

/** The parameters of a token request for `target` by whom `assertion` speaks of. */
export function jwtBearer(
  target: Target,
  assertion: string,
): readonly (readonly [name: string, value: string | undefined])[] {
  return [
    ['grant_type', JWT_BEARER],
    ['assertion', assertion],
    ['resource', target.resource],
    ['scope', target.scope],
  ];
}

/** No proof beside the assertion, which says who asks (RFC 7521 §4.1). */
export const assertionAlone: ClientAuthMethod = {
  name: 'none',
  prove: ({ clientId }) => ({ headers: {}, form: clientId === '' ? [] : [['client_id', clientId]] }),
};
