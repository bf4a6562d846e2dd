import type { Explanation, LoggedAuditEvent, ProblemCode } from '@countersign/admin-api';
import type { AuditLog } from '../../audit/log.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { Storage } from '../../storage/storage.ts';
import { certificatePort, type CertificatePort } from './certificate-port.ts';
import type { NounHandlers } from './endpoint.ts';
import { refusalEvidence } from './refusal-evidence.ts';
import { ProblemError } from './problem.ts';
import type { TokenReason } from './require-admin.ts';

/** Why something was refused, and what to do about it. */
export interface ReasonExplanation {
  readonly why: string;
  readonly fix: string | undefined;
}

export interface ExplainDeps extends CertificatePort {
  readonly log: Pick<AuditLog, 'find'>;
  readonly storage: Pick<Storage, 'identities'>;
  /** The reasons of the token wing, which this wing cannot see. */
  readonly tokenReasons: Readonly<Record<string, ReasonExplanation>>;
}

const MOST_EVENTS = 100;

export function explainHandlers(deps: ExplainDeps): NounHandlers<'explain'> {
  return {
    'explain.get': {
      kind: 'read',
      async run({ params }) {
        const filter = { requestId: params.request_id };
        const events = await deps.log.find(filter, { afterSeq: 0, limit: MOST_EVENTS });
        const told = events.find((event) => event.outcome !== 'success') ?? events[0];
        if (told === undefined) {
          throw new ProblemError('not_found', {
            detail: 'no event has this request id: it changed nothing, was a read, or was only counted',
          });
        }
        const identity = await identityNow(deps, told.identity);
        const { why, fix } = explain(deps, told, identity);
        const evidence = refusalEvidence(told);
        return {
          body: {
            request_id: params.request_id,
            summary: summaryOf(told),
            why: evidence === undefined ? why : `${why} ${evidence}`,
            fix: fix ?? null,
            identity: identity === undefined ? null : viewOf(identity),
            events: [...events],
          },
        };
      },
    },
  };
}

function explain(
  deps: ExplainDeps,
  event: LoggedAuditEvent,
  identity: IdentityRecord | undefined,
): ReasonExplanation {
  const reason = event.reason ?? '';
  // The same word for both, but only one of them can be undone.
  if (reason === 'identity_suspended' && identity?.securityStop === true) return STOPPED_FOR_SECURITY;
  if (OAUTH_REFUSAL.test(event.type)) {
    const found = lookUp(deps.tokenReasons, innerReason(event) ?? reason);
    if (reason !== 'certificate_missing') return found;
    return { ...found, fix: `${found.fix} ${certificatePort(deps, event.type)}` };
  }
  if (event.type === 'admin.refused') return lookUp({ ...TOKEN_REASONS, ...PROBLEM_REASONS }, reason);
  if (event.type === 'token.issued') {
    return { why: 'The client proved itself and holds an active access to the resource.', fix: undefined };
  }
  return { why: event.reason ?? 'No reason was given.', fix: undefined };
}

/** Of a token of another issuer that was to be exchanged: why it would not be taken as an assertion. */
function innerReason({ reason, detail }: LoggedAuditEvent): string | undefined {
  if (reason !== 'subject_token_not_trusted' || typeof detail !== 'object' || detail === null)
    return undefined;
  return 'assertion' in detail ? String(detail.assertion) : undefined;
}

/** Refusals of the endpoints where clients prove themselves: they share their reasons. */
const OAUTH_REFUSAL = /^(?:token|introspection|revocation|rotation|renewal|claim|derivation_keys)\.refused$/;

function lookUp(table: Readonly<Record<string, ReasonExplanation>>, reason: string): ReasonExplanation {
  return Object.hasOwn(table, reason)
    ? (table[reason] as ReasonExplanation)
    : { why: `The reason is ${reason === '' ? 'not recorded' : reason}.`, fix: undefined };
}

const WHAT_OF: Readonly<Record<string, string>> = {
  'introspection.refused': 'the introspection of a token',
  'revocation.refused': 'the revocation of a token',
  'rotation.refused': 'a successor of its key',
  'renewal.refused': 'the renewal of its certificate',
  'claim.refused': 'the certificate of a device',
  'derivation_keys.refused': 'keys to derive from',
};

function summaryOf(event: LoggedAuditEvent): string {
  const who = event.identity ?? 'A stranger';
  if (event.type === 'token.issued') {
    return `${who} got a token for ${event.resource ?? '?'} with ${event.scopes_held ?? 'no scope'}${inWhoseName(event)}.`;
  }
  if (event.type === 'token.refused') {
    return `${who} was refused a token${event.resource === undefined ? '' : ` for ${event.resource}`}.`;
  }
  if (OAUTH_REFUSAL.test(event.type)) {
    return `${who} was refused ${WHAT_OF[event.type] ?? 'what it asked for'}.`;
  }
  if (event.type === 'admin.refused') {
    return `${who} was refused ${event.method ?? ''} ${event.resource ?? ''}.`;
  }
  return `${who} caused ${event.type} on ${event.resource ?? '?'}.`;
}

/** A token that was exchanged acts for its subject (RFC 8693 §1.1): said by the event's detail. */
function inWhoseName({ detail }: LoggedAuditEvent): string {
  if (typeof detail !== 'object' || detail === null || !('sub' in detail) || !('act' in detail)) return '';
  const earlier: string[] = [];
  let actor = (detail.act as { act?: unknown } | null)?.act as { sub?: unknown; act?: unknown } | undefined;
  for (; actor !== undefined; actor = actor.act as typeof actor) earlier.push(String(actor.sub));
  return `, in the name of ${String(detail.sub)}${earlier.length === 0 ? '' : `, after ${earlier.join(' after ')}`}`;
}

async function identityNow(
  deps: ExplainDeps,
  clientId: string | undefined,
): Promise<IdentityRecord | undefined> {
  return clientId === undefined ? undefined : await deps.storage.identities.byClientId(clientId);
}

function viewOf(identity: IdentityRecord): Explanation['identity'] {
  return {
    client_id: identity.clientId,
    state: identity.state,
    expires_at: rfc3339(identity.expiresAt),
    state_reason: identity.stateReason ?? null,
  };
}

const STOPPED_FOR_SECURITY: ReasonExplanation = {
  why: 'The identity was cut off, or stopped for security: going on takes two people and a new credential.',
  fix: 'As the first: countersign identities resume; then make a new credential; then somebody else does the same. Or make a new identity: countersign connect',
};

const PROVE =
  'Make a new proof for each request: htm its method, htu its URL without query, ath of the token.';
const NEW_TOKEN = 'Get a new token for the admin API.';
const OWN_STATE = 'See the identity and its credentials as they are now.';

/** Why a token for the admin API was not taken: the caller was told one word for all of these. */
const TOKEN_REASONS: { readonly [reason in TokenReason]: ReasonExplanation } = {
  token_missing: { why: 'The request carried no access token.', fix: 'Send one: Authorization: Bearer …' },
  token_repeated: { why: 'The request had two Authorization headers.', fix: 'Send one.' },
  token_malformed: { why: 'What was sent is not a well-formed access token.', fix: NEW_TOKEN },
  key_unknown: {
    why: 'The token names a key that this authority does not publish, or no longer.',
    fix: NEW_TOKEN,
  },
  signature_wrong: {
    why: 'The signature of the token is wrong: it was changed, or made elsewhere.',
    fix: NEW_TOKEN,
  },
  sender_constrained: {
    why: 'The token is bound in a way that the admin API does not know.',
    fix: 'Get a token that is bound by DPoP or to a certificate, or not at all.',
  },
  bound_token_as_bearer: {
    why: 'The token is bound to a key and was presented without it: by a client that knows no DPoP, or by who found it.',
    fix: 'Send it with the scheme DPoP and a proof. If its holder did not do this, cut it off.',
  },
  unbound_token_as_dpop: {
    why: 'The token came with the scheme DPoP and is not bound to a key.',
    fix: 'Show a proof when asking for the token, or use the scheme Bearer.',
  },
  dpop_proof_missing: { why: 'The token is bound to a key, and no proof came with it.', fix: PROVE },
  dpop_proof_repeated: { why: 'The request had two DPoP headers.', fix: 'Send one.' },
  dpop_proof_refused: {
    why: 'The proof is malformed, outdated, or for another request or token.',
    fix: PROVE,
  },
  dpop_proof_replayed: { why: 'The proof was used before.', fix: PROVE },
  proof_share_used_up: {
    why: 'As many DPoP proofs of the caller are remembered as used as one may have, 250,000 at one process.',
    fix: 'Let it call less often. If it does not, somebody has its key: cut it off.',
  },
  dpop_key_mismatch: {
    why: 'The proof was made with another key than the one the token is bound to.',
    fix: 'Use the key with which the token was asked for.',
  },
  token_certificate_missing: {
    why: 'The token is bound to a certificate, and none came with the request.',
    fix: 'Call the admin API at the port of mtls-port, or through a declared proxy, with the certificate of the token request.',
  },
  token_certificate_mismatch: {
    why: 'The token is bound to another certificate than the one that came with the request.',
    fix: 'Use the certificate with which the token was asked for; after a renewal get a new token.',
  },
  cut_off: {
    why: 'The token was issued before its identity, credential or key was cut off.',
    fix: NEW_TOKEN,
  },
  wrong_typ: { why: 'It is a token, but no access token.', fix: NEW_TOKEN },
  wrong_issuer: { why: 'The token is of another issuer.', fix: NEW_TOKEN },
  wrong_audience: { why: 'The token is for another resource server.', fix: 'Ask for resource=<issuer>/v1.' },
  expired: { why: 'The token has expired.', fix: NEW_TOKEN },
  not_yet_valid: { why: 'The token is not valid yet.', fix: 'Compare the clocks.' },
  issued_in_the_future: {
    why: 'The token was issued in the future.',
    fix: 'Compare the clocks of the nodes.',
  },
  people_issuer_not_active: {
    why: 'The trusted issuer that vouched for this person is suspended or deleted.',
    fix: 'See countersign trusted-issuers list; who is a person has to sign in again.',
  },
  person_left: {
    why: 'The directory says that this person has left.',
    fix: 'If that is wrong, correct it there.',
  },
  identity_unknown: { why: 'The identity of the token does not exist here.', fix: NEW_TOKEN },
  credential_unknown: { why: 'The credential behind the token does not exist any more.', fix: NEW_TOKEN },
  access_replaced: { why: 'The access behind the token was replaced by another one.', fix: NEW_TOKEN },
  identity_not_active: { why: 'The identity is not active.', fix: OWN_STATE },
  identity_suspended: { why: 'The identity is suspended.', fix: OWN_STATE },
  identity_decommissioned: { why: 'The identity is decommissioned, or about to be.', fix: OWN_STATE },
  identity_brown_out: {
    why: 'The identity is being decommissioned, and this is one of its announced brown-outs.',
    fix: OWN_STATE,
  },
  identity_expired: { why: 'The identity has reached its end.', fix: 'Extend its expires_at.' },
  credential_not_yet_valid: { why: 'The credential is not valid yet.', fix: OWN_STATE },
  credential_expired: { why: 'The credential behind the token has expired.', fix: 'Make a new credential.' },
  credential_suspended: { why: 'The credential behind the token is suspended.', fix: OWN_STATE },
  credential_revoked: { why: 'The credential behind the token was revoked.', fix: 'Use another credential.' },
  resource_missing: { why: 'The identity has no access to the admin API.', fix: 'Give it access.' },
  resource_unknown: { why: 'The identity has no access to the admin API.', fix: 'Give it access.' },
  access_missing: { why: 'The identity has no access to the admin API.', fix: 'Give it access.' },
  access_expired: { why: 'The access to the admin API has ended.', fix: 'Extend its expires_at.' },
  scope_not_held: { why: 'The access holds none of the scopes of the token any more.', fix: NEW_TOKEN },
};

const AS_ANSWERED = 'The answer to the caller says which member, and why.';

/** Why a request of a caller who proved itself was refused: it was told the same. */
const PROBLEM_REASONS: { readonly [code in ProblemCode]: ReasonExplanation } = {
  malformed_request: { why: 'The request could not be read.', fix: AS_ANSWERED },
  validation_failed: { why: 'A member of the request is missing or not acceptable.', fix: AS_ANSWERED },
  token_required: TOKEN_REASONS.token_missing,
  invalid_token: TOKEN_REASONS.token_malformed,
  insufficient_scope: {
    why: 'The token lacks a scope that the request needs.',
    fix: 'Give the caller access to the scope, or ask for it with the token.',
  },
  needs_people: {
    why: 'A machine asked for a decision that people make.',
    fix: 'Let a person who has the role do it, after countersign login.',
  },
  not_own: {
    why: 'The person has the role owner alone, and what was to be changed is not its own, or would give it more.',
    fix: 'Let its owner do it, or somebody with the role operator.',
  },
  self_approval: {
    why: 'Who wanted to approve it asked for it, or stands behind who did: as owner, as maker of its credential, or under another name.',
    fix: 'Let somebody else approve it.',
  },
  not_an_approver: {
    why: 'The rules that match ask other people, or have enough of these.',
    fix: 'See whom: countersign approvals show ID',
  },
  content_changed: {
    why: 'What was asked for was edited after it was read: the hash is of another content.',
    fix: 'Read it again: countersign approvals show ID',
  },
  exceeds_own_access: {
    why: 'The caller wanted to give more of the admin API than it holds itself.',
    fix: 'Let a caller who holds it do it.',
  },
  not_offered: {
    why: 'It is offered to somebody else.',
    fix: 'Offer it to this person: countersign identities update NAME --owner PERSON.',
  },
  not_found: { why: 'There is no such thing.', fix: 'Check the id.' },
  method_not_allowed: { why: 'The method is not offered there.', fix: 'See /openapi.json.' },
  request_timeout: { why: 'The request did not arrive in time.', fix: 'Send it again.' },
  already_exists: { why: 'It exists already.', fix: 'Change the one that exists; the answer names it.' },
  illegal_transition: { why: 'The present state does not allow it.', fix: OWN_STATE },
  still_in_use: { why: 'Something live depends on it.', fix: 'Narrow or revoke the access first.' },
  built_in: { why: 'It is part of the authority itself.', fix: undefined },
  last_administrator: {
    why: 'Nobody else holds what it takes to administer the authority, with a credential that works.',
    fix: 'Give another identity identities:write, credentials:write and access:write first; stop what is in wrong hands by countersign cutoffs create.',
  },
  owner_left: {
    why: 'Whom it names as owner has left, or nobody has taken it over since its owner left.',
    fix: 'Name an owner who is still there: countersign identities update NAME --owner PERSON.',
  },
  concurrent_change: {
    why: 'Somebody else changed it at the same moment.',
    fix: 'Read it again and repeat.',
  },
  refused_by_policy: {
    why: 'A rule of this deployment does not allow it; the answer names the rule.',
    fix: 'Do as the answer says. For a policy: countersign policies list, and people may except an identity for a time; for a method: the setting methods-refused.',
  },
  policy_test_failed: {
    why: 'A policy did not do what its own tests expect; nothing was changed.',
    fix: 'Correct the policy or its test: countersign policies test FILE says what was expected and what came.',
  },
  limit_reached: { why: 'There are as many as there may be.', fix: 'Revoke what is no longer used.' },
  too_early: {
    why: 'The next key has not been published long enough.',
    fix: 'Wait as long as the answer says.',
  },
  idempotency_in_flight: { why: 'The same request was being carried out.', fix: 'Wait for its answer.' },
  precondition_failed: { why: 'It had changed since the caller read it.', fix: 'Read it again and repeat.' },
  payload_too_large: { why: 'The body was too large.', fix: 'Send less at once.' },
  uri_too_long: { why: 'The request target was too long.', fix: 'Send less.' },
  unsupported_media_type: { why: 'The body was of another media type.', fix: AS_ANSWERED },
  unknown_reference: { why: 'The request names something that does not exist.', fix: AS_ANSWERED },
  unknown_scope: {
    why: 'The resource server does not have the scope.',
    fix: 'Add it there first, or correct it.',
  },
  idempotency_mismatch: {
    why: 'The Idempotency-Key had been used for another request.',
    fix: 'Use a new key for each request.',
  },
  precondition_required: { why: 'The request did not name the version it is about.', fix: 'Send If-Match.' },
  headers_too_large: { why: 'The header fields were too large.', fix: 'Send less.' },
  internal_error: {
    why: 'The authority failed in a way it did not foresee.',
    fix: 'Report it, with the log line that has this request id.',
  },
  unavailable: { why: 'The authority could not do it at that moment.', fix: 'Try again.' },
};
