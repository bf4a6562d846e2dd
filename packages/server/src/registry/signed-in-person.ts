// What the token of a person says of them: RFC 9068 §2.2.1 (auth_time), §2.2.3.1 (roles, groups), with `idp` of our own.
import { type AccessTokenClaims, isNumericDate } from '@countersign/protocol';
import type { ActingPerson } from '../audit/change.ts';

/** A person as its trusted issuer vouched for it when it signed in. */
export interface SignedInPerson extends ActingPerson {
  /** Id of the trusted issuer; `crd` of the tokens, so that an order to cut it off ends all of them. */
  readonly trustedIssuer: string;
  /** By name; who reads them knows which there are. */
  readonly roles: readonly string[];
  /** Names of the teams that its groups stand for. */
  readonly teams: readonly string[];
}

/** Public clients of this authority through which people sign in: no identity is called so. */
export const SIGN_IN_CLIENTS = ['countersign-cli', 'countersign-console'] as const;
export type SignInClient = (typeof SIGN_IN_CLIENTS)[number];

export function isSignInClient(clientId: string | undefined): clientId is SignInClient {
  return (SIGN_IN_CLIENTS as readonly (string | undefined)[]).includes(clientId);
}

/** Visible ASCII: no two handles look alike by their letters, and none ends a line. */
const HANDLE = /^[\x21-\x7e]{1,200}$/;
export const isHandle = (text: unknown): text is string => typeof text === 'string' && HANDLE.test(text);

const PREFIX = 'person:';

/** What a person is called where machines have a client_id, in which there is no colon. */
export function personPrincipal(handle: string): string {
  return PREFIX + handle;
}

/** The members of its token's payload beside those that every access token has. */
export function personClaims(person: SignedInPerson): Readonly<Record<string, unknown>> {
  return {
    sub: personPrincipal(person.handle),
    crd: person.trustedIssuer,
    auth_time: Math.floor(person.signedInAt / 1000),
    roles: person.roles,
    groups: person.teams,
    idp: { iss: person.issuer, sub: person.subject },
  };
}

/** Whose token it is, when it is one that a person got here; `malformed` when it says so and does not add up. */
export function readPersonClaims(claims: AccessTokenClaims): SignedInPerson | 'malformed' | undefined {
  const all: Readonly<Record<string, unknown>> = { __proto__: null, ...claims.all };
  if (all['idp'] === undefined && !isSignInClient(claims.client_id)) return undefined;
  const { idp, roles, groups, auth_time: authTime } = all;
  const handle = claims.sub.startsWith(PREFIX) ? claims.sub.slice(PREFIX.length) : undefined;
  const { iss, sub } = { __proto__: null, ...(idp as object) } as { iss?: unknown; sub?: unknown };
  const whole =
    isSignInClient(claims.client_id) &&
    isHandle(handle) &&
    typeof iss === 'string' &&
    typeof sub === 'string' &&
    isNumericDate(authTime) &&
    areTexts(roles) &&
    areTexts(groups) &&
    claims.crd !== undefined &&
    claims.act === undefined &&
    claims.via === undefined;
  if (!whole) return 'malformed';
  return {
    issuer: iss,
    subject: sub,
    handle,
    signedInAt: authTime * 1000,
    trustedIssuer: claims.crd,
    roles,
    teams: groups,
  };
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
