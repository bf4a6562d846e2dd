// The admin API as a protected resource: RFC 6750 §2.1, §3; its tokens: RFC 9068 §4. It is an ordinary resource server
// of its own authority, with one privilege: it knows what is true now, and asks.
import {
  type AccessTokenClaims,
  type AccessTokenRefusal,
  bearerChallenge,
  checkAccessToken,
  isCutOff,
  parseAccessTokenClaims,
  parseCompactJws,
  parseResourceIndicator,
  resourceMetadataUrl,
  verifyJws,
} from '@countersign/protocol';
import type { AdminScope } from '@countersign/admin-api';
import type { Actor } from '../../audit/change.ts';
import { type Clock, epochSeconds } from '../../clock.ts';
import type { CutoffLedger } from '../../cutoff/ledger.ts';
import { callerInstance, type HttpRequest, header } from '../../http/request.ts';
import type { Keystore } from '../../keys/keystore.ts';
import {
  type AccessFault,
  effectiveAccess,
  type StandingFault,
  standing,
} from '../../registry/effective-access.ts';
import type { FactsReader } from '../../registry/facts.ts';
import { ProblemError } from './problem.ts';

export interface RequireAdminDeps {
  readonly issuer: string;
  /** `${issuer}/v1`. */
  readonly resource: string;
  readonly keystore: Pick<Keystore, 'verificationKey'>;
  readonly ledger: Pick<CutoffLedger, 'current'>;
  readonly facts: FactsReader;
  readonly clock: Clock;
}

/** Who calls, proved just now. */
export interface Admin {
  readonly actor: Actor;
  /** What the token holds and its access still holds. */
  readonly scopes: ReadonlySet<string>;
}

/** Why a token is not taken. The caller is told one word for all of them; the log is told which. */
export type TokenReason =
  | 'token_missing'
  | 'token_repeated'
  | 'token_malformed'
  | 'key_unknown'
  | 'signature_wrong'
  | 'sender_constrained'
  | 'cut_off'
  | 'identity_unknown'
  | 'credential_unknown'
  | 'access_replaced'
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
  /** Throws `insufficient_scope`. */
  requireScopes(admin: Admin, scopes: readonly AdminScope[]): void;
}

/** Seconds by which the clocks of two nodes may differ. */
const LEEWAY = 5;
const REALM = 'countersign';
/** RFC 6750 §2.1: b64token. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export function createRequireAdmin(deps: RequireAdminDeps): RequireAdmin {
  const metadata = resourceMetadataUrl(deps.resource);
  const challenge = {
    realm: REALM,
    ...(metadata === undefined ? {} : { resource_metadata: metadata }),
  };

  function refused(reason: TokenReason, claimed?: string): TokenRefused {
    return new TokenRefused(reason, problem(reason), claimed);
  }

  function problem(reason: TokenReason): ProblemError {
    // RFC 6750 §3.1: no error code for who brings no token, 400 for a repeated one, one word for all others.
    if (reason === 'token_missing') {
      return new ProblemError('token_required', {}, { 'www-authenticate': bearerChallenge(challenge) });
    }
    const repeated = reason === 'token_repeated';
    const header = bearerChallenge({ ...challenge, error: repeated ? 'invalid_request' : 'invalid_token' });
    return new ProblemError(
      repeated ? 'malformed_request' : 'invalid_token',
      {},
      { 'www-authenticate': header },
    );
  }

  async function verified(token: string): Promise<AccessTokenClaims> {
    const jws = parseCompactJws(token);
    if (!jws.ok) throw refused('token_malformed');
    const { kid } = jws.header;
    const key = kid === undefined ? undefined : deps.keystore.verificationKey(kid);
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
    // RFC 7800 §3.1: a bound token without its proof is nobody's.
    if (claims.cnf !== undefined) throw refused('sender_constrained', claims.client_id);
    const { index } = await deps.ledger.current();
    if (isCutOff(index, claims, kid)) throw refused('cut_off', claims.client_id);
    return claims;
  }

  return {
    async authenticate(request) {
      const claims = await verified(bearerToken(request, refused));
      const clientId = claims.client_id;
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
      return {
        actor: {
          identity: clientId,
          credential: credential.id,
          access: claims.acs,
          requestId: request.id,
          source: request.source,
          instance: callerInstance(request),
        },
        scopes: new Set(held.ok ? held.scopes : []),
      };
    },

    requireScopes(admin, scopes) {
      const missing = scopes.filter((scope) => !admin.scopes.has(scope));
      if (missing.length === 0) return;
      const header = bearerChallenge({ ...challenge, error: 'insufficient_scope', scope: scopes.join(' ') });
      throw new ProblemError(
        'insufficient_scope',
        { detail: `this needs ${missing.join(', ')}` },
        { 'www-authenticate': header },
      );
    },
  };
}

function bearerToken(request: HttpRequest, refused: (reason: TokenReason) => TokenRefused): string {
  const reading = header(request, 'authorization');
  if (reading.kind === 'many') throw refused('token_repeated');
  if (reading.kind === 'absent' || !/^bearer(?: |$)/i.test(reading.value)) throw refused('token_missing');
  const token = BEARER.exec(reading.value)?.[1];
  if (token === undefined) throw refused('token_malformed');
  return token;
}
