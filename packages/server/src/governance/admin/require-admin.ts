// The admin API as a protected resource: RFC 6750 §2.1, §3, RFC 9449 §7; its tokens: RFC 9068 §4. It is an ordinary resource server
// of its own authority, with one privilege: it knows what is true now, and asks.
import {
  type AccessTokenClaims,
  type AccessTokenRefusal,
  bearerChallenge,
  checkAccessToken,
  DPOP_ALGORITHMS,
  dpopChallenge,
  isCutOff,
  type OAuthErrorCode,
  parseAccessTokenClaims,
  parseCompactJws,
  parseResourceIndicator,
  resourceMetadataUrl,
  type TokenScheme,
  verifyJws,
} from '@countersign/protocol';
import type { Permission } from '@countersign/admin-api';
import { epochSeconds } from '../../clock.ts';
import type { CutoffLedger } from '../../cutoff/ledger.ts';
import { callerInstance, type HttpRequest, header } from '../../http/request.ts';
import { createKeyRefresh, OWN_KID } from '../../keys/key-refresh.ts';
import type { Keystore, PublishedKey } from '../../keys/keystore.ts';
import {
  type AccessFault,
  effectiveAccess,
  type StandingFault,
  standing,
} from '../../registry/effective-access.ts';
import type { FactsReader } from '../../registry/facts.ts';
import { type PeopleDeps, type PersonFault, personFault } from '../../registry/people.ts';
import { readPersonClaims } from '../../registry/signed-in-person.ts';
import { ProofShareUsedUp } from '../../storage/errors.ts';
import { type Admin, lackOf, missingScopes } from './admin.ts';
import { personAdmin } from './person-admin.ts';
import type { OwnUse } from './own-use.ts';
import { ProblemError } from './problem.ts';
import { checkSender, isProofReason, type SenderProofDeps, type SenderReason } from './sender-proof.ts';

export interface RequireAdminDeps extends SenderProofDeps {
  /** `${issuer}/v1`. */
  readonly resource: string;
  readonly keystore: Pick<Keystore, 'verificationKey'> & { reload(): Promise<void> };
  readonly ledger: Pick<CutoffLedger, 'current'>;
  readonly facts: FactsReader;
  readonly people: PeopleDeps;
  /** Counts what the API required of a caller, and whether it had it. */
  readonly countUse?: OwnUse['count'] | undefined;
}

/** Why a token is not taken. The caller is told one word for all of them; the log is told which. */
export type TokenReason =
  | 'token_missing'
  | 'token_repeated'
  | 'token_malformed'
  | 'key_unknown'
  | 'signature_wrong'
  | 'cut_off'
  | 'identity_unknown'
  | 'credential_unknown'
  | 'access_replaced'
  | 'proof_share_used_up'
  | PersonFault
  | SenderReason
  | AccessTokenRefusal
  | StandingFault
  | AccessFault;

/** The caller did not prove that it may be here at all. */
export class TokenRefused extends Error {
  readonly reason: TokenReason;
  readonly problem: ProblemError;
  /** client_id that a good signature names; undefined when there is none. */
  readonly claimed: string | undefined;
  constructor(reason: TokenReason, problem: ProblemError, claimed: string | undefined) {
    super(reason);
    this.name = 'TokenRefused';
    this.reason = reason;
    this.problem = problem;
    this.claimed = claimed;
  }
}

export interface RequireAdmin {
  /** Rejects with `TokenRefused`. */
  authenticate(request: HttpRequest): Promise<Admin>;
  /** Throws `insufficient_scope`, `needs_people`. */
  requireScopes(admin: Admin, scopes: readonly Permission[]): void;
}

/** Seconds by which the clocks of two nodes may differ. */
const LEEWAY = 5;
const REALM = 'countersign';
/** RFC 6750 §2.1: b64token. RFC 9449 §7.1: the other scheme. */
const TOKEN = /^(?:bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i;

export function createRequireAdmin(deps: RequireAdminDeps): RequireAdmin {
  const refreshKeys = createKeyRefresh(deps);
  const metadata = resourceMetadataUrl(deps.resource);
  const challenge = {
    realm: REALM,
    ...(metadata === undefined ? {} : { resource_metadata: metadata }),
  };

  type Refused = (reason: TokenReason, claimed?: string) => TokenRefused;
  const refusedAs =
    (scheme: TokenScheme): Refused =>
    (reason, claimed) =>
      new TokenRefused(reason, problem(reason, scheme), claimed);

  function problem(reason: TokenReason, scheme: TokenScheme): ProblemError {
    // RFC 6750 §3.1: no error code for who brings no token, 400 for a repeated one, one word for all others.
    if (reason === 'token_missing') {
      return new ProblemError('token_required', {}, { 'www-authenticate': bearerChallenge(challenge) });
    }
    const repeated = reason === 'token_repeated';
    // RFC 9449 §7.1: the proof's own faults have a code of their own.
    const code = isProofReason(reason) ? 'invalid_dpop_proof' : 'invalid_token';
    const header = challengeAs(scheme, repeated ? 'invalid_request' : code);
    return new ProblemError(
      repeated ? 'malformed_request' : 'invalid_token',
      {},
      { 'www-authenticate': header },
    );
  }

  function challengeAs(scheme: TokenScheme, error: OAuthErrorCode, scope?: string): string {
    const facts = { ...challenge, error, ...(scope === undefined ? undefined : { scope }) };
    return scheme === 'DPoP'
      ? dpopChallenge({ ...facts, algs: DPOP_ALGORITHMS.join(' ') })
      : bearerChallenge(facts);
  }

  async function keyOf(kid: string): Promise<PublishedKey | undefined> {
    const known = deps.keystore.verificationKey(kid);
    if (known !== undefined || !OWN_KID.test(kid)) return known;
    await refreshKeys();
    return deps.keystore.verificationKey(kid);
  }

  async function verified(
    request: HttpRequest,
    { token, scheme }: Presented,
    refused: Refused,
  ): Promise<AccessTokenClaims> {
    const jws = parseCompactJws(token);
    if (!jws.ok) throw refused('token_malformed');
    const { kid } = jws.header;
    const key = kid === undefined ? undefined : await keyOf(kid);
    if (key === undefined) throw refused('key_unknown');
    if (!verifyJws(jws, { kid: key.kid, alg: key.alg, keyObject: key.publicKey })) {
      throw refused('signature_wrong');
    }
    const parsed = parseAccessTokenClaims(jws.payload);
    if (!parsed.ok) throw refused('token_malformed');
    const { claims } = parsed;
    const fault = checkAccessToken({
      claims,
      header: jws.header,
      now: epochSeconds(deps.clock),
      issuer: deps.issuer,
      audience: deps.resource,
      leeway: LEEWAY,
    });
    if (fault !== undefined) throw refused(fault, claims.client_id);
    const { index } = await deps.ledger.current();
    if (isCutOff(index, claims, kid)) throw refused('cut_off', claims.client_id);
    const { sub: holder, cnf } = claims;
    const sender = await checkSender(deps, request, { token, scheme, cnf, holder });
    if (sender instanceof ProofShareUsedUp) throw laterOf(sender);
    if (sender !== undefined) throw refused(sender, claims.client_id);
    return claims;
  }

  return {
    async authenticate(request) {
      const presented = presentedToken(request, refusedAs('Bearer'));
      const refused = refusedAs(presented.scheme);
      const claims = await verified(request, presented, refused);
      const clientId = claims.client_id;
      const person = readPersonClaims(claims);
      if (person !== undefined) {
        if (person === 'malformed') throw refused('token_malformed', clientId);
        const gone = await personFault(deps.people, person);
        if (gone !== undefined) throw refused(gone, claims.sub);
        return personAdmin(person, claims, presented.scheme, request);
      }
      const facts = await deps.facts.byClientId(clientId);
      if (facts === undefined) throw refused('identity_unknown', clientId);
      const credential = facts.credentials.find((each) => each.id === claims.crd);
      if (credential === undefined) throw refused('credential_unknown', clientId);
      const now = deps.clock.now();
      const fault = standing(facts.identity, credential, now);
      if (fault !== undefined) throw refused(fault, clientId);
      const resource = parseResourceIndicator(deps.resource);
      const held = effectiveAccess(facts, { resource, scopes: claims.scope }, now);
      if (!held.ok && held.fault !== 'scope_not_held') throw refused(held.fault, clientId);
      if (held.ok && held.access.id !== claims.acs) throw refused('access_replaced', clientId);
      const scopes = new Set<string>(held.ok ? held.scopes : []);
      return {
        actor: {
          identity: clientId,
          credential: credential.id,
          behind: othersOf(claims),
          access: claims.acs,
          requestId: request.id,
          source: request.source,
          instance: callerInstance(request),
        },
        scheme: presented.scheme,
        boundTo: boundTo(claims),
        scopes,
        unlimited: scopes,
      };
    },

    requireScopes(admin, scopes) {
      const missing = missingScopes(admin, scopes);
      deps.countUse?.(admin.actor, scopes, missing.length === 0);
      if (missing.length === 0) return;
      const header = challengeAs(admin.scheme, 'insufficient_scope', scopes.join(' '));
      throw new ProblemError(
        'insufficient_scope',
        { detail: lackOf(admin, missing) },
        { 'www-authenticate': header },
      );
    },
  };
}

/** Who calls has proved itself, and is told when to come back; others notice nothing. */
function laterOf({ holder, retryAfter }: ProofShareUsedUp): TokenRefused {
  const detail = 'more DPoP proofs of this caller are remembered as used than one may have';
  const problem = new ProblemError('unavailable', { detail }, { 'retry-after': String(retryAfter) });
  return new TokenRefused('proof_share_used_up', problem, holder);
}

function boundTo({ cnf }: AccessTokenClaims): Admin['boundTo'] {
  if (cnf === undefined) return undefined;
  return cnf.jkt === undefined ? 'mtls' : 'dpop';
}

/** RFC 8693 §4.1: whom a token that was exchanged names beside the client that shows it. */
function othersOf({ sub, act, client_id: clientId }: AccessTokenClaims): readonly string[] | undefined {
  if (act === undefined) return undefined;
  const named = new Set([sub]);
  for (let actor: AccessTokenClaims['act'] = act; actor !== undefined; actor = actor.act)
    named.add(actor.sub);
  named.delete(clientId);
  return [...named];
}

interface Presented {
  readonly token: string;
  readonly scheme: TokenScheme;
}

function presentedToken(request: HttpRequest, refused: (reason: TokenReason) => TokenRefused): Presented {
  const reading = header(request, 'authorization');
  if (reading.kind === 'many') throw refused('token_repeated');
  if (reading.kind === 'absent' || !/^(?:bearer|dpop)(?: |$)/i.test(reading.value))
    throw refused('token_missing');
  const token = TOKEN.exec(reading.value)?.[1];
  if (token === undefined) throw refused('token_malformed');
  return { token, scheme: /^d/i.test(reading.value) ? 'DPoP' : 'Bearer' };
}
