// What is not exchanged: RFC 8693 §2.2.2.
import { NO_ACCESS } from './access.ts';
import { CORRECT_THE_CLIENT, denied, type Reasons } from './entry.ts';

export type TokenExchangeReason =
  | 'subject_token_missing'
  | 'actor_token_incomplete'
  | 'token_type_unsupported'
  | 'subject_token_unknown'
  | 'subject_token_not_trusted'
  | 'subject_token_dead'
  | 'subject_token_not_for_client'
  | 'subject_token_bound'
  | 'actor_token_unacceptable'
  | 'actor_not_permitted'
  | 'actor_chain_too_long'
  | 'subject_access_missing'
  | 'subject_scope_not_held'
  | 'resource_not_delegable';

/** RFC 8693 §2.2.2: one text for all of them; which it was stands in the audit log. */
const BAD_SUBJECT = denied('invalid_request', 'the subject token is not acceptable');
const BAD_ACTOR = denied('invalid_request', 'the actor token is not acceptable');

export const TOKEN_EXCHANGE: Reasons<TokenExchangeReason> = {
  subject_token_missing: {
    ...denied('invalid_request', 'subject_token and subject_token_type are needed'),
    why: 'The exchange names no subject_token, or does not say of which type it is.',
    fix: CORRECT_THE_CLIENT,
  },
  actor_token_incomplete: {
    ...denied('invalid_request', 'actor_token and actor_token_type come together'),
    why: 'An actor_token came without its type, or a type without a token.',
    fix: CORRECT_THE_CLIENT,
  },
  token_type_unsupported: {
    ...denied('invalid_request', 'only access tokens are exchanged here'),
    why: 'A token type in the exchange is neither that of an access token nor that of a JWT.',
    fix: 'Send urn:ietf:params:oauth:token-type:access_token for what is given and what is wanted.',
  },
  subject_token_unknown: {
    ...BAD_SUBJECT,
    why: 'The subject_token is no token of this authority, or was changed on the way.',
    fix: 'Exchange the access token that came with the request to the API, as it came.',
  },
  subject_token_not_trusted: {
    // Whoever comes with it may have proved nothing yet.
    ...BAD_SUBJECT,
    stranger: true,
    why: 'The subject_token is of another issuer, and as an assertion it would not be taken: the detail says why.',
    fix: 'Look up the reason that the detail names (assertion), or try it: countersign trusted-issuers test',
  },
  subject_token_dead: {
    ...BAD_SUBJECT,
    why: 'The subject_token has expired or was cut off, or somebody it names may not act any more.',
    fix: 'Exchange a live one; look at the identities that it names.',
  },
  subject_token_not_for_client: {
    ...BAD_SUBJECT,
    why: 'The subject_token is for an API for which this client does not stand.',
    fix: 'Let the API define the scope tokens:exchange and give its identity access to it.',
  },
  subject_token_bound: {
    ...BAD_SUBJECT,
    why: 'A token in the exchange is bound to a key or certificate that the request did not prove, or that the new token would not be bound to: certificates bind only where the next API wants them.',
    fix: 'Only the holder of the key can exchange it: let callers of an API that acts downstream send unbound tokens. For a certificate the next API needs sender_constraint: mtls.',
  },
  actor_token_unacceptable: {
    ...BAD_ACTOR,
    why: 'The actor_token is not a live token that was issued to this client for itself.',
    fix: 'Leave it out: the client has proved who it is.',
  },
  actor_not_permitted: {
    ...BAD_SUBJECT,
    why: 'The subject_token names in may_act who may act for its subject, and it is another.',
    fix: 'Let its issuer name this client, or nobody.',
  },
  actor_chain_too_long: {
    ...BAD_SUBJECT,
    why: 'As many act in a row for the subject already as may.',
    fix: 'Look for a loop between the APIs, or let one of them call on its own account.',
  },
  subject_access_missing: {
    ...NO_ACCESS,
    why: 'The subject of the token has no access to the resource itself, so nobody may act for it there.',
    fix: 'Give the subject access to the resource, or let the client call on its own account.',
  },
  subject_scope_not_held: {
    ...denied('invalid_scope', 'none of the scopes asked for is held'),
    why: 'Client and subject hold none of the scopes asked for in common there.',
    fix: 'Ask for scopes that both hold, or add the scope to both accesses.',
  },
  resource_not_delegable: {
    ...NO_ACCESS,
    why: 'The admin API is called by each in its own name; no token in the name of another is issued for it.',
    fix: 'Let the client ask for a token of its own.',
  },
};
