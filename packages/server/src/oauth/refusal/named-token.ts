// The token to introspect (RFC 7662 §2.1) or to revoke (RFC 7009 §2.1, §2.2.1).
import { CORRECT_THE_CLIENT, denied, type Reasons } from './entry.ts';

export type NamedTokenReason = 'token_missing' | 'token_of_another_client';

export const NAMED_TOKEN: Reasons<NamedTokenReason> = {
  token_missing: {
    ...denied('invalid_request', 'token is missing'),
    why: 'The request names no token to introspect or to revoke.',
    fix: CORRECT_THE_CLIENT,
  },
  // RFC 6749 §5.2: "… or was issued to another client".
  token_of_another_client: {
    ...denied('invalid_grant', 'the token was issued to another client'),
    why: 'The token that was to be revoked was issued to another client; it stays alive.',
    fix: 'Let its own client revoke it, or cut it off: countersign cutoffs create',
  },
};
