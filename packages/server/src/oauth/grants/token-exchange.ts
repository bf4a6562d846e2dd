// RFC 8693 token exchange, delegation only: docs/decisions/0016-what-may-be-exchanged.md.
import {
  type AccessTokenClaims,
  type Actor,
  type Form,
  type ResourceIndicator,
  type ScopeToken,
  TOKEN_EXCHANGE,
  TOKEN_TYPE,
  type TokenTypeIdentifier,
} from '@countersign/protocol';
import {
  type AccessAsked,
  type EffectiveAccess,
  effectiveAccess,
  limitOf,
} from '../../registry/effective-access.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import type { Delegation, HeldBySubject } from '../tokens/authorization.ts';
import { type Party, partiesOf, subjectAccess } from '../tokens/delegation.ts';
import type { OwnTokenReader } from '../tokens/own-token.ts';
import { standingAt } from '../../registry/stands-for.ts';
import { liveScopes, type TokenStateDeps } from '../tokens/token-state.ts';
import { readAccessAsked } from './access-asked.ts';
import type { ForeignSubjectToken } from './foreign-subject-token.ts';
import type { Grant } from './grant.ts';

export interface TokenExchangeDeps extends TokenStateDeps {
  readonly ownTokens: Pick<OwnTokenReader, 'read'>;
  readonly foreign: ForeignSubjectToken;
}

/** Who may act in a row for one subject: verifiers look at the first only, and a longer row is a loop or a mistake. */
export const MAX_ACTORS = 4;

export function tokenExchange(deps: TokenExchangeDeps): Grant {
  return {
    type: TOKEN_EXCHANGE,

    identify: (_request, form, now) =>
      deps.foreign.isIn(form) ? deps.foreign.identify(form, now) : undefined,

    async authorize(form, client, now) {
      const isForeign = deps.foreign.isIn(form);
      const request = readExchange(form, isForeign);
      if (isForeign) {
        // Nobody acts here for anybody else.
        if (request.actorToken !== undefined) throw new Refusal('actor_token_unacceptable');
        const delegation = await deps.foreign.authorize(form, client, now);
        return { ...request.asked, delegation, issuedTokenType: request.issuedTokenType };
      }
      const live = await requireSubject(deps, client, request.subjectToken, now);
      const { claims } = live;
      const actor = await requireActor(deps, client, request.actorToken, now);
      const parties = partiesWith(live);
      const { bySubject, ...held } = await withinSubject(deps, client, parties, request.asked, now);
      const delegation: Delegation = {
        subject: claims.sub,
        actor: actorFor(client, claims),
        expiresAt: Math.min(claims.exp, actor?.exp ?? claims.exp),
        via: parties.map(({ token }) => token),
        boundTo: [claims.cnf, actor?.cnf].filter((cnf) => cnf !== undefined),
        bySubject,
        standing: live.standing,
        recheck: async () => {
          const facts = await deps.facts.byClientId(client.facts.identity.clientId);
          const present = facts === undefined ? client : { ...client, facts };
          const again = await requireSubject(deps, present, request.subjectToken, now);
          const still = await withinSubject(deps, present, partiesWith(again), held, now);
          if (still.scopes.length < held.scopes.length) throw new Refusal('subject_scope_not_held');
          return { bySubject: still.bySubject, standing: again.standing };
        },
      };
      return { ...held, delegation, issuedTokenType: request.issuedTokenType };
    },
  };
}

interface ExchangeRequest {
  readonly subjectToken: string;
  readonly actorToken: string | undefined;
  readonly issuedTokenType: TokenTypeIdentifier;
  readonly asked: AccessAsked;
}

/** RFC 8693 §2.1. */
function readExchange(form: Form, isForeign: boolean): ExchangeRequest {
  const subjectToken = form.get('subject_token');
  const subjectType = form.get('subject_token_type');
  if (subjectToken === undefined || subjectType === undefined) throw new Refusal('subject_token_missing');
  if (!isForeign) requireTokenType(subjectType);
  const actorToken = form.get('actor_token');
  const actorType = form.get('actor_token_type');
  // RFC 8693 §2.1: REQUIRED when actor_token is present, and MUST NOT be included otherwise.
  if ((actorToken === undefined) !== (actorType === undefined)) throw new Refusal('actor_token_incomplete');
  if (actorType !== undefined) requireTokenType(actorType);
  return {
    subjectToken,
    actorToken,
    issuedTokenType: requireTokenType(form.get('requested_token_type') ?? TOKEN_TYPE.accessToken),
    asked: readAccessAsked(form, targetsOf(form)),
  };
}

/** RFC 8693 §3: an access token, by its own name or as the JWT that it is. */
function requireTokenType(type: string): TokenTypeIdentifier {
  if (type === TOKEN_TYPE.accessToken || type === TOKEN_TYPE.jwt) return type;
  throw new Refusal('token_type_unsupported');
}

/** RFC 8693 §2.1: `audience` is the target by name, and the name of a resource server is its resource identifier. */
function targetsOf(form: Form): readonly string[] {
  return [...new Set([...form.all('resource'), ...form.all('audience')])];
}

/** A token of this authority that is good at `now`, with what it still opens. */
interface LiveToken {
  readonly claims: AccessTokenClaims;
  readonly kid: string;
  readonly scopes: readonly string[];
}

interface SubjectToken extends LiveToken {
  /** By which its client may exchange it. */
  readonly standing: readonly EffectiveAccess[];
}

async function readLive(
  deps: TokenExchangeDeps,
  token: string,
  now: number,
): Promise<LiveToken | 'unknown' | 'dead'> {
  const own = await deps.ownTokens.read(token);
  if (own === undefined) return 'unknown';
  const scopes = await liveScopes(deps, own, now);
  return scopes.length === 0 ? 'dead' : { claims: own.claims, kid: own.kid, scopes };
}

/**
 * RFC 8693 §2.2.2: invalid_request for what is not acceptable. The token was sent to an API for which this client stands,
 * and names nobody else as who may act (§4.4).
 */
async function requireSubject(
  deps: TokenExchangeDeps,
  client: AuthenticatedClient,
  token: string,
  now: number,
): Promise<SubjectToken> {
  const subject = await readLive(deps, token, now);
  if (subject === 'unknown') throw new Refusal('subject_token_unknown');
  if (subject === 'dead') throw new Refusal('subject_token_dead');
  const { claims } = subject;
  // Its conditions are held against the proof, too, which is looked at later: endpoints/delegated.ts.
  const standing = standingAt(client, claims.aud, 'exchange', now);
  if (standing.length === 0) throw new Refusal('subject_token_not_for_client');
  if (Object.hasOwn(claims.all, 'may_act') && !names(claims.all['may_act'], client, claims)) {
    throw new Refusal('actor_not_permitted');
  }
  return { ...subject, standing };
}

/** A member that is not understood is a condition that cannot be met. */
function names(mayAct: unknown, { facts }: AuthenticatedClient, subject: AccessTokenClaims): boolean {
  if (typeof mayAct !== 'object' || mayAct === null) return false;
  const { sub, iss = subject.iss, ...others } = mayAct as { sub?: unknown; iss?: unknown };
  return sub === facts.identity.clientId && iss === subject.iss && Object.keys(others).length === 0;
}

/** Who acts is who proved itself: an actor token may say the same (RFC 8693 §2.1), and nothing else. */
async function requireActor(
  deps: TokenExchangeDeps,
  { facts }: AuthenticatedClient,
  token: string | undefined,
  now: number,
): Promise<AccessTokenClaims | undefined> {
  if (token === undefined) return undefined;
  const actor = await readLive(deps, token, now);
  if (typeof actor === 'string') throw new Refusal('actor_token_unacceptable');
  const { clientId } = facts.identity;
  if (actor.claims.client_id !== clientId || actor.claims.sub !== clientId) {
    throw new Refusal('actor_token_unacceptable');
  }
  return actor.claims;
}

/** RFC 8693 §4.1: the current actor outermost. */
function actorFor({ facts }: AuthenticatedClient, { act }: AccessTokenClaims): Actor {
  let actors = 1;
  for (let earlier = act; earlier !== undefined; earlier = earlier.act) actors++;
  if (actors > MAX_ACTORS) throw new Refusal('actor_chain_too_long');
  const sub = facts.identity.clientId;
  return act === undefined ? { sub } : { sub, act };
}

/** Those the subject token comes from, and before them who got that token itself. */
function partiesWith({ claims: subject, kid, scopes }: LiveToken): readonly Party[] {
  const { client_id: clientId, jti, crd } = subject;
  const aud = subject.aud[0];
  const earlier = partiesOf(subject);
  // A live token has all of them.
  if (crd === undefined || aud === undefined || earlier === undefined)
    throw new Refusal('subject_token_dead');
  return [{ clientId, token: { jti, crd, aud, scope: scopes.join(' '), kid } }, ...earlier];
}

interface WithinSubject {
  readonly resource: ResourceIndicator;
  readonly scopes: readonly ScopeToken[];
  readonly bySubject: HeldBySubject;
}

/**
 * RFC 8693 §5: what the client may have there; of that, what the subject may have there itself; and where the row comes
 * back to an API, no more than the earlier token opened.
 */
async function withinSubject(
  deps: TokenExchangeDeps,
  client: AuthenticatedClient,
  parties: readonly Party[],
  asked: AccessAsked,
  now: number,
): Promise<WithinSubject> {
  const held = effectiveAccess(client.facts, asked, now, limitOf(client.credential));
  if (!held.ok) throw new Refusal(held.fault);
  // The admin API acts on who calls it and on nobody's behalf.
  if (held.resourceServer.builtIn) throw new Refusal('resource_not_delegable');
  const resource = held.resourceServer.identifier as ResourceIndicator;
  const subject = await subjectAccess(deps, parties, { resource, scopes: held.scopes }, now);
  if (subject === undefined) throw new Refusal('subject_token_dead');
  const { facts, credential, held: own } = subject;
  if (!own.ok)
    throw new Refusal(own.fault === 'scope_not_held' ? 'subject_scope_not_held' : 'subject_access_missing');
  const earlier = parties
    .filter(({ token }) => token.aud === resource)
    .map(({ token }) => token.scope.split(' '));
  const scopes = own.scopes.filter((scope) => earlier.every((opened) => opened.includes(scope)));
  if (scopes.length === 0) throw new Refusal('subject_scope_not_held');
  return {
    resource,
    scopes: scopes as readonly string[] as readonly ScopeToken[],
    bySubject: { facts, credential, held: { ...own, scopes } },
  };
}
