// What the audit log is told of a token request (RFC 6749 §3.2), and when its answer may leave.
import { JWT_BEARER, parseClientId, TOKEN_EXCHANGE } from '@countersign/protocol';
import { canonicalJson } from '@countersign/tlog';
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import { outsideResource, outsideScopes, outsideText } from '../../audit/outside-text.ts';
import type { StrangerBudget } from '../../audit/stranger-budget.ts';
import type { Clock } from '../../clock.ts';
import { callerInstance, type HttpRequest, singleHeader } from '../../http/request.ts';
import { type RandomBytes, newId } from '../../ids.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { IssuancePace } from '../../registry/issuance-pace.ts';
import type { CredentialPlaces } from '../../registry/use/credential-places.ts';
import type { CredentialInstances } from '../../registry/use/credential-instances.ts';
import type { CredentialUses } from '../../registry/use/credential-uses.ts';
import type { EndingCallers } from '../../registry/use/ending-callers.ts';
import { shownCertificate } from '../client-auth/client-certificate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { type RefusalReason, refusalEntry } from '../refusal.ts';
import type { Delegation } from '../tokens/authorization.ts';
import type { IssuedToken } from '../tokens/issue.ts';
import type { Attempt } from './attempt.ts';

export interface IssuanceRecord {
  /** Resolves when the event is durable: the token leaves after that and never before. Rejects `AuditUnavailable`. */
  issued(
    attempt: Attempt,
    client: AuthenticatedClient,
    held: EffectiveAccess,
    token: IssuedToken,
  ): Promise<void>;
  /** Its token leaves now. */
  delivered(attempt: Attempt, held: EffectiveAccess, token: IssuedToken): void;
  /** Resolves when the refusal may leave. Never rejects: a refusal needs no leave of the log. */
  refused(attempt: Attempt, reason: RefusalReason): Promise<void>;
}

export interface IssuanceCounters {
  tokensIssued: number;
  /** By internal reason. */
  readonly refusals: Map<RefusalReason, number>;
}

export interface IssuanceRecordDeps {
  readonly log: Pick<AuditLog, 'append'>;
  readonly strangers: StrangerBudget;
  readonly random: RandomBytes;
  readonly node: string;
  readonly counters: IssuanceCounters;
  readonly pace: Pick<IssuancePace, 'count'>;
  readonly uses: CredentialUses;
  /** Absent: from where credentials are used is not noted. */
  readonly places?: Pick<CredentialPlaces, 'saw'> | undefined;
  /** Absent: who uses which credential is not noted. */
  readonly instances?: Pick<CredentialInstances, 'saw'> | undefined;
  /** Absent: who calls what is being decommissioned is not noted. */
  readonly ending?: Pick<EndingCallers, 'saw'> | undefined;
  readonly clock: Clock;
  /** Of the fetches of keys that others publish. */
  readonly jwks: { readonly slowestMs: number };
}

/** `refusedType`: what refusals are called in the log. */
export function createIssuanceRecord(
  deps: IssuanceRecordDeps,
  refusedType: string = 'token.refused',
): IssuanceRecord {
  return {
    issued(attempt, client, held, token) {
      return deps.log.append(issuedEvent(deps, attempt, client, held, token));
    },

    delivered(attempt, held, token) {
      deps.counters.tokensIssued++;
      deps.pace.count(held.access.id, token.expiresIn, attempt.request.source);
      const { client } = attempt;
      if (client === undefined) return;
      deps.uses.issued(client.credential.id, attempt.at);
      const { source } = attempt.request;
      deps.places?.saw(client.credential.id, source, singleHeader(attempt.request, 'user-agent'));
      deps.instances?.saw(client.credential, attempt.instance, attempt.request.source, attempt.at);
      if (client.facts.identity.state === 'decommissioning')
        noteEnding(deps, attempt, client.facts, 'let_through');
    },

    async refused(attempt, reason) {
      deps.counters.refusals.set(reason, (deps.counters.refusals.get(reason) ?? 0) + 1);
      if (attempt.proved?.identity.state === 'decommissioning')
        noteEnding(deps, attempt, attempt.proved, 'refused');
      const entry = refusalEntry(reason);
      // When the log itself is what refuses, there is nobody to tell; the counter and the log line say it.
      if (entry.status === 503) return;
      const event = refusedEvent(deps, attempt, reason, refusedType);
      if (!entry.stranger) {
        await deps.log.append(event).catch(ignore);
        return;
      }
      const claimed = isOfKnownClient(reason) ? attempt.claimed : undefined;
      letGo(attempt);
      const leaving = deps.strangers.refused(event, claimed, attempt.at, attempt.voucher);
      await holdLikeFetch(deps, attempt);
      await leaving;
    },
  };
}

/** A stranger waits for its answer, and thousands with it: what it sent is in the event, as far as it is told. */
function letGo(attempt: Attempt): void {
  attempt.scopeAsked = attempt.resourceAsked = undefined;
  if (parseClientId(attempt.claimed ?? '') === undefined) attempt.claimed = undefined;
}

function noteEnding(
  { ending }: Pick<IssuanceRecordDeps, 'ending'>,
  attempt: Attempt,
  facts: IdentityFacts,
  outcome: 'let_through' | 'refused',
): void {
  const { request, held, resourceAsked: asked } = attempt;
  const own = facts.access.map(({ resourceServer }) => resourceServer.identifier);
  const named = asked !== undefined && own.includes(asked) ? asked : own.length === 1 ? own[0] : undefined;
  ending?.saw(
    facts.identity,
    {
      resourceServer: held?.resourceServer.identifier ?? named,
      instance: callerInstance(request),
      source: request.source,
      userAgent: singleHeader(request, 'user-agent'),
    },
    outcome,
    attempt.at,
  );
}

/** Ways to prove oneself for which the authority may have to fetch keys. */
const WITH_FETCHED_KEYS: ReadonlySet<string | undefined> = new Set([
  'private_key_jwt',
  JWT_BEARER,
  TOKEN_EXCHANGE,
]);
/** A publisher that is slower than this shows; it must not hold up everybody's refusals. */
const MOST_HELD_MS = 1000;
/** From the end of a fetch to the next beat on which an answer may leave. */
const AFTER_FETCH_MS = 50;

/**
 * Whose keys are fetched is refused later than who does not exist: all wait as long as a fetch takes, since they came. Who is
 * right never waits.
 */
async function holdLikeFetch(
  { jwks, clock }: Pick<IssuanceRecordDeps, 'jwks' | 'clock'>,
  { method, at }: Attempt,
): Promise<void> {
  if (jwks.slowestMs === 0 || !WITH_FETCHED_KEYS.has(method)) return;
  const held = Math.min(jwks.slowestMs + AFTER_FETCH_MS, MOST_HELD_MS);
  const left = Math.min(at + held - clock.now(), MOST_HELD_MS);
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

function issuedEvent(
  deps: IssuanceRecordDeps,
  attempt: Attempt,
  client: AuthenticatedClient,
  held: EffectiveAccess,
  token: IssuedToken,
): AuditEvent {
  return {
    // A token has one event, so its jti names both.
    id: token.jti,
    at: isoTime(attempt.at),
    type: 'token.issued',
    outcome: 'success',
    request_id: attempt.request.id,
    identity: client.facts.identity.clientId,
    credential: client.credential.id,
    access: held.access.id,
    resource: held.resourceServer.identifier,
    scopes_asked: attempt.scopeAsked === token.scope ? token.scope : scopesAsked(attempt),
    scopes_held: token.scope,
    jti: token.jti,
    lifetime: token.expiresIn,
    parent: attempt.delegation?.via?.[0]?.jti,
    method: client.method,
    proof: client.spent?.mark,
    source: attempt.request.source,
    instance: (attempt.instance = instanceOf(attempt.request, client)),
    node: deps.node,
    detail: issuedDetail(attempt, client),
  };
}

function issuedDetail(
  { delegation }: Attempt,
  { facts: { identity } }: AuthenticatedClient,
): string | undefined {
  if (delegation !== undefined) return inWhoseName(delegation);
  return identity.state === 'decommissioning' ? WOULD_BE_REFUSED : undefined;
}

/** What is being decommissioned works until it is stopped. */
const WOULD_BE_REFUSED = canonicalJson({ would_be_refused: 'identity_decommissioned' });

/** RFC 8693 §4.1: who acts for whom, and from which tokens (by jti) that comes. */
function inWhoseName(
  { subject, actor, via = [] }: Delegation,
  { evidence }: Pick<Attempt, 'evidence'> = {},
): string | undefined {
  // Whoever came with a token of a trusted issuer acts for itself.
  if (actor === undefined) return evidenceOf({ evidence });
  const from = via.map(({ jti }) => jti);
  return canonicalJson({ ...evidence, act: actor, exchanged: from, sub: subject });
}

/**
 * Which running copy asks: what it says itself, else the serial number of the certificate by which it proved itself
 * (RFC 5280 §4.1.2.2), since machines that share a credential have one each.
 */
export function instanceOf(request: HttpRequest, { method }: AuthenticatedClient): string | undefined {
  const own = callerInstance(request);
  if (own !== undefined || !method.endsWith('tls_client_auth')) return own;
  // Without the zero byte that keeps the number positive in the encoding.
  return shownCertificate(request)?.serialNumber.replace(/^00(?=.)/, '');
}

function refusedEvent(
  deps: IssuanceRecordDeps,
  attempt: Attempt,
  reason: RefusalReason,
  type: string,
): AuditEvent {
  const { client, held } = attempt;
  return {
    id: newId('evt', deps.random),
    at: isoTime(attempt.at),
    type,
    outcome: 'refused',
    request_id: attempt.request.id,
    identity: client?.facts.identity.clientId ?? claimedIdentity(attempt, reason),
    credential: client?.credential.id,
    access: held?.access.id,
    resource: held?.resourceServer.identifier ?? resourceAsked(attempt),
    scopes_asked: scopesAsked(attempt),
    method: attempt.method,
    reason,
    source: attempt.request.source,
    // What a stranger calls itself is no one's word.
    instance: client === undefined ? undefined : instanceOf(attempt.request, client),
    node: deps.node,
    detail: attempt.delegation === undefined ? evidenceOf(attempt) : inWhoseName(attempt.delegation, attempt),
  };
}

function evidenceOf({ evidence }: Pick<Attempt, 'evidence'>): string | undefined {
  return evidence === undefined ? undefined : canonicalJson(evidence);
}

/** Of these, the assertion was held against the keys of its client. */
const WRONG_ASSERTIONS: ReadonlySet<RefusalReason> = new Set([
  'client_assertion_key_unknown',
  'client_assertion_keys_unavailable',
  'client_assertion_signature',
  'client_assertion_audience',
  'client_assertion_outdated',
  'client_assertion_too_long_lived',
  'client_assertion_replayed',
]);

/** Refused for what is wrong with the proof or the standing of a client that exists, or for how many proofs it has used. */
function isOfKnownClient(reason: RefusalReason): boolean {
  return (
    reason === 'proof_share_used_up' ||
    reason === 'secret_mismatch' ||
    reason === 'certificate_mismatch' ||
    reason === 'certificate_missing' ||
    reason.startsWith('credential_') ||
    reason.startsWith('identity_') ||
    WRONG_ASSERTIONS.has(reason)
  );
}

function claimedIdentity(attempt: Attempt, reason: RefusalReason): string | undefined {
  if (attempt.claimed === undefined || isOfKnownClient(reason)) return attempt.claimed;
  return outsideText(attempt.claimed);
}

function resourceAsked({ resourceAsked: asked, client }: Attempt): string | undefined {
  if (asked === undefined) return undefined;
  const known =
    client?.facts.access.some(({ resourceServer }) => resourceServer.identifier === asked) === true;
  return known ? asked : outsideResource(asked);
}

function scopesAsked({ scopeAsked: asked, client }: Attempt): string | undefined {
  if (asked === undefined) return undefined;
  const defined = new Set(
    client?.facts.access.flatMap(({ resourceServer }) => resourceServer.scopes.map((scope) => scope.name)),
  );
  return outsideScopes(asked, (scope) => defined.has(scope));
}

let formattedAt = 0;
let formatted = '';
/** Many events share a millisecond under load. */
function isoTime(at: number): string {
  if (at !== formattedAt) {
    formattedAt = at;
    formatted = new Date(at).toISOString();
  }
  return formatted;
}

function ignore(): void {}
