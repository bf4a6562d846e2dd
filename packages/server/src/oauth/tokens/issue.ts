// JWT access tokens: RFC 9068 §2.
import type { RandomBytes } from '../../ids.ts';
import type { Keystore } from '../../keys/keystore.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';

export interface IssueDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'sign'>;
  readonly random: RandomBytes;
}

export interface IssuedToken {
  /** The token, when its turn to be signed has come. */
  readonly signed: Promise<string>;
  readonly jti: string;
  readonly scope: string;
  /** Seconds. */
  readonly expiresIn: number;
}

const JTI_BYTES = 16;

/**
 * Signs a token for one access. `now` is epoch seconds, floored: `iat` in the future is refused by some validators.
 * Written member by member: this is the one object that is made for every request.
 */
export function issue(
  deps: IssueDeps,
  client: { readonly clientId: string; readonly credentialId: string },
  held: EffectiveAccess,
  lifetime: number,
  now: number,
): IssuedToken {
  const jti = deps.random(JTI_BYTES).toString('base64url');
  const scope = held.scopes.length === 1 ? (held.scopes[0] as string) : held.scopes.join(' ');
  const payload =
    `${fixedClaims(deps.issuer, client, held)},"scope":"${scope}",` +
    `"iat":${now},"exp":${now + lifetime},"jti":"${jti}"}`;
  const { signingAlg, typ } = held.resourceServer.token;
  return { signed: deps.keystore.sign(signingAlg, typ, payload), jti, scope, expiresIn: lifetime };
}

interface FixedClaims {
  readonly credentialId: string;
  readonly identifier: string;
  readonly text: string;
}

const fixed = new WeakMap<EffectiveAccess['access'], FixedClaims>();

/** The part of the payload that all tokens of one credential under one access share, written once while they stay. */
function fixedClaims(
  issuer: string,
  { clientId, credentialId }: { readonly clientId: string; readonly credentialId: string },
  { access, resourceServer: { identifier } }: EffectiveAccess,
): string {
  const known = fixed.get(access);
  if (known?.credentialId === credentialId && known.identifier === identifier) return known.text;
  // client_id, ids, scopes and jti are of charsets that JSON writes as they are; issuer and audience are URIs.
  const text =
    `{"iss":${JSON.stringify(issuer)},"aud":${JSON.stringify(identifier)},"sub":"${clientId}",` +
    `"client_id":"${clientId}","crd":"${credentialId}","acs":"${access.id}"`;
  fixed.set(access, { credentialId, identifier, text });
  return text;
}
