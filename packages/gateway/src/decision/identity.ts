// What an upstream is told about a caller, in headers that nobody else can write.
import { plainName } from './edge-request.ts';
import type { AccessTokenClaims } from '@countersign/protocol';

export interface IdentityHeaders {
  /** Every declared header, in the order of the file; empty where the claim is absent and on public routes. */
  of(claims: AccessTokenClaims | undefined): readonly (readonly [name: string, value: string])[];
  /** Whether a caller's header could be taken for one of them; `_` counts as `-`, for CGI and WSGI know no difference. */
  owns(name: string): boolean;
  /** Of those, whether it is none: a front proxy that writes the header leaves this one beside it. */
  imitates(name: string): boolean;
}

const ALL_CLAIMS = 'claims';

export function identityHeaders(declared: ReadonlyMap<string, string>): IdentityHeaders {
  const names = new Set([...declared.values()].map((name) => name.toLowerCase()));
  const plain = new Set([...names].map(plainName));
  const owns = (name: string): boolean => plain.has(plainName(name));
  return {
    of: (claims) =>
      [...declared].map(([claim, name]) => [name, claims === undefined ? '' : valueOf(claims, claim)]),
    owns,
    imitates: (name) => owns(name) && !names.has(name.toLowerCase()),
  };
}

function valueOf(claims: AccessTokenClaims, claim: string): string {
  if (claim === ALL_CLAIMS)
    return Buffer.from(JSON.stringify(wireClaims(claims)), 'utf8').toString('base64url');
  const value = (claims as unknown as Record<string, unknown>)[claim];
  if (value === undefined || value === null) return '';
  if (claim === 'scope') return claims.scope.join(' ');
  if (claim === 'aud') return claims.aud.map(visible).join(' ');
  return visible(typeof value === 'string' ? value : JSON.stringify(value));
}

/** `scope` as it stands in a token. */
function wireClaims(claims: AccessTokenClaims): object {
  return { ...claims, all: claims.all, scope: claims.scope.join(' ') };
}

/**
 * Other issuers name subjects by any text. What cannot stand in a header as it is, is percent-encoded, and so is `%`: two
 * subjects never look the same.
 */
function visible(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
