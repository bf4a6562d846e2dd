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
  readonly accessToken: string;
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
export async function issue(
  deps: IssueDeps,
  client: { readonly clientId: string; readonly credentialId: string },
  held: EffectiveAccess,
  lifetime: number,
  now: number,
): Promise<IssuedToken> {
  const jti = deps.random(JTI_BYTES).toString('base64url');
  const scope = held.scopes.length === 1 ? (held.scopes[0] as string) : held.scopes.join(' ');
  // client_id, ids, scopes and jti are of charsets that JSON writes as they are; issuer and audience are URIs.
  const payload =
    `${quotedIssuerAndAudience(deps.issuer, held)},"sub":"${client.clientId}","client_id":"${client.clientId}",` +
    `"scope":"${scope}","iat":${now},"exp":${now + lifetime},"jti":"${jti}",` +
    `"crd":"${client.credentialId}","acs":"${held.access.id}"}`;
  const { signingAlg, typ } = held.resourceServer.token;
  const accessToken = await deps.keystore.sign(signingAlg, typ, payload);
  return { accessToken, jti, scope, expiresIn: lifetime };
}

const quoted = new WeakMap<EffectiveAccess['resourceServer'], string>();

/** The part of the payload that is the same for all tokens of a resource server, quoted once per version of it. */
function quotedIssuerAndAudience(issuer: string, held: EffectiveAccess): string {
  let text = quoted.get(held.resourceServer);
  if (text === undefined) {
    text = `{"iss":${JSON.stringify(issuer)},"aud":${JSON.stringify(held.resourceServer.identifier)}`;
    quoted.set(held.resourceServer, text);
  }
  return text;
}
