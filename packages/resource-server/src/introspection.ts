// Asking the authority about tokens that only it can read: RFC 7662 §2, answers kept for a while (§4).
import {
  type AccessTokenClaims,
  type JwsHeader,
  parseAccessTokenClaims,
} from '@countersign/protocol/portable';
import { CERTIFICATE_HINT, looksLikeCertificate } from '@countersign/protocol/certificate-credential';
import type { Authority, AuthenticToken } from './authority.ts';
import type { Finding } from './finding.ts';
import type { Introspecting } from './introspecting.ts';
import { within } from './within.ts';

export interface IntrospectionDeps {
  readonly client: Introspecting;
  /** Epoch seconds. */
  readonly clock: () => number;
  /** base64url. */
  readonly sha256: (text: string) => string | Promise<string>;
}

/** Seconds for which an answer is kept at most: so long a scope that was taken away may still open something. */
const KEEP_ACTIVE = 60;
/** Seconds for which it is kept that a token is not active. It will never be; this only bounds the memory. */
const KEEP_INACTIVE = 10;
/** Answers kept at most, of those about active tokens and of the others. */
const CAPACITY = 10_000;
/** Questions under way at once about tokens never seen active: strangers invent them, and each costs the authority a request. */
const MOST_UNDER_WAY = 256;
/** A request waits no longer: who is asked may try again and again, or be silent. */
const TIMEOUT_MS = 10_000;
/** Longer than any token of ours; more is not sent on. */
const MAX_LENGTH = 16_384;

type Answer = { readonly claims: AccessTokenClaims } | Finding;

interface Kept {
  readonly answer: Answer;
  readonly askedAt: number;
  /** Epoch seconds. */
  readonly until: number;
}

/** An opaque token has no header; the authority speaks of access tokens only (RFC 7662 §2.2). */
const OPAQUE_HEADER: JwsHeader = { alg: 'none', typ: 'at+jwt' };

export class Introspection {
  readonly #deps: IntrospectionDeps;
  /** Apart, so that tokens that strangers invent push out nothing that is known of good ones. */
  readonly #active: Answers = new Map();
  readonly #inactive: Answers = new Map();
  readonly #flights = new Map<string, Promise<Answer>>();
  /** Of those, about tokens that are not known to have been active. */
  #strangers = 0;

  constructor(deps: IntrospectionDeps) {
    this.#deps = deps;
  }

  /**
   * The claims of an active token, or what is wrong, as it was at most `maxAge` seconds ago. One question at a time for one
   * token. Never rejects.
   */
  async ask(token: string, maxAge: number = KEEP_ACTIVE): Promise<Answer> {
    if (token.length > MAX_LENGTH) return { reason: 'malformed_token', detail: 'too_long' };
    const digest = await this.#deps.sha256(token);
    const kept = this.#active.get(digest) ?? this.#inactive.get(digest);
    const now = this.#deps.clock();
    // A clock that was set back counts as time gone by.
    if (kept !== undefined && now < kept.until && Math.abs(now - kept.askedAt) < maxAge) return kept.answer;
    const flying = this.#flights.get(digest);
    if (flying !== undefined) return flying;
    // What was active before waits for no stranger.
    const stranger = this.#active.has(digest) ? 0 : 1;
    if (stranger === 1 && this.#strangers >= MOST_UNDER_WAY)
      return { reason: 'introspection_unavailable', detail: 'too many at once' };
    this.#strangers += stranger;
    const flight = this.#ask(token, digest).finally(() => {
      this.#flights.delete(digest);
      this.#strangers -= stranger;
    });
    this.#flights.set(digest, flight);
    return flight;
  }

  /** An opaque token, as one that was read: of one of these issuers. */
  async read(token: string, authorities: ReadonlyMap<string, Authority>): Promise<AuthenticToken | Finding> {
    const answer = await this.ask(token);
    if ('reason' in answer) return answer;
    const { claims } = answer;
    const authority = authorities.get(claims.iss);
    if (authority === undefined) return { reason: 'wrong_issuer' };
    return {
      authority,
      claims,
      header: OPAQUE_HEADER,
      signer: undefined,
      isOurs: false,
      clearedBy: undefined,
    };
  }

  async #ask(token: string, digest: string): Promise<Answer> {
    // Counted from before the question: what was true then may have ended since.
    const now = this.#deps.clock();
    let answer: Answer;
    try {
      const response = await within(this.#deps.client.introspect(token, hintFor(token)), TIMEOUT_MS);
      if (response === undefined) return { reason: 'introspection_unavailable', detail: 'timeout' };
      answer = answerOf(response);
    } catch {
      // What went wrong may hold the token; and nothing is known of it, so nothing is kept.
      return { reason: 'introspection_unavailable' };
    }
    const until = 'claims' in answer ? Math.min(now + KEEP_ACTIVE, answer.claims.exp) : now + KEEP_INACTIVE;
    this.#keep(digest, { answer, askedAt: now, until });
    return answer;
  }

  #keep(digest: string, kept: Kept): void {
    this.#active.delete(digest);
    this.#inactive.delete(digest);
    const answers = 'claims' in kept.answer ? this.#active : this.#inactive;
    if (answers.size >= CAPACITY) {
      const oldest = answers.keys().next();
      if (oldest.done !== true) answers.delete(oldest.value);
    }
    answers.set(digest, kept);
  }
}

/** A certificate is asked about as one, or not at all. */
function hintFor(token: string): string | undefined {
  return looksLikeCertificate(token) ? CERTIFICATE_HINT : undefined;
}

/** By digest of the token, the one asked about longest ago first. */
type Answers = Map<string, Kept>;

/** RFC 7662 §2.2: nothing but the boolean true makes a token active. */
function answerOf(response: { readonly active: boolean; readonly [name: string]: unknown }): Answer {
  const { active, token_type: _type, ...claims } = response;
  if (active !== true) return { reason: 'not_active' };
  const parsed = parseAccessTokenClaims(new TextEncoder().encode(JSON.stringify(claims)));
  return parsed.ok ? { claims: parsed.claims } : { reason: 'bad_claims', detail: parsed.fault };
}
