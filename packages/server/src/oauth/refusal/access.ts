// The client may not have what it asks for: RFC 8707 §2, RFC 6749 §3.3, RFC 9396 §5.
import { denied, type Reasons, type RefusalAnswer } from './entry.ts';

export type AccessReason =
  | 'resource_malformed'
  | 'several_resources'
  | 'resource_missing'
  | 'resource_unknown'
  | 'access_expired'
  | 'access_missing'
  | 'scope_malformed'
  | 'authorization_details_unsupported'
  | 'scope_not_held'
  | 'token_too_large';

/** Nobody learns what there is that they have no access to. */
export const NO_ACCESS: RefusalAnswer = denied('invalid_target', 'the client has no access to this resource');

export const ACCESS: Reasons<AccessReason> = {
  resource_malformed: {
    ...denied('invalid_target', 'resource is not an absolute URI without fragment'),
    why: 'The resource asked for is not an absolute URI without fragment.',
    fix: 'Ask for the identifier of a resource server, exactly as it is registered.',
  },
  several_resources: {
    ...denied('invalid_target', 'one token is for one resource'),
    why: 'Two resources were asked for in one request; a token is for one.',
    fix: 'Ask for one token per resource.',
  },
  resource_missing: {
    ...denied('invalid_target', 'resource is needed: the client has access to none or to several'),
    why: 'No resource was asked for, and the identity has access to none or to several: nothing could be assumed.',
    fix: 'Name the resource in the request, or give the identity access: countersign access create',
  },
  resource_unknown: {
    ...NO_ACCESS,
    why: 'The identity has no access to the resource asked for, or there is no such resource server.',
    fix: 'Compare the identifier character by character; give access if it is due: countersign access create',
  },
  access_expired: {
    ...NO_ACCESS,
    why: 'The identity had access to this resource until it ended.',
    fix: 'If it is still needed, extend the expires_at of the access.',
  },
  access_missing: {
    ...NO_ACCESS,
    why: 'The identity has no active access to this resource.',
    fix: 'Give it, if it is due: countersign access create',
  },
  scope_malformed: {
    ...denied('invalid_scope', 'scope is malformed'),
    why: 'The scope parameter is not a list of scopes parted by single spaces.',
    fix: 'Correct the client.',
  },
  // RFC 9396 §5: refused, and not left out: who asks for less than its scopes must not be given all of them.
  authorization_details_unsupported: {
    ...denied('invalid_authorization_details', 'authorization_details are not supported'),
    why: 'The request asks for authorization_details (RFC 9396), and no type of them is known here.',
    fix: 'Ask by scope and resource. They are refused and not left out, because a token for more than was asked for would be the answer.',
  },
  scope_not_held: {
    ...denied('invalid_scope', 'none of the scopes asked for is held'),
    why: 'None of the scopes asked for is part of the access.',
    fix: 'Ask for scopes that the access holds, or add the scope to the access.',
  },
  token_too_large: {
    ...denied('invalid_scope', 'so many scopes do not fit into one token'),
    why: 'With all these scopes, and those of every token it was exchanged for, the token would be longer than verifiers read.',
    fix: 'Let the client ask for the scopes that it needs for this call.',
  },
};
