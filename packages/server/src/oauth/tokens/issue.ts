// Access tokens: JWTs of RFC 9068 §2, with `cnf` (RFC 7800 §3) and `act` (RFC 8693 §4.1).
import type { RandomBytes } from '../../ids.ts';
import type { Keystore } from '../../keys/keystore.ts';
import type { EffectiveAccess } from '../../registry/effective-access.ts';
import type { AceTerms, IssueTerms } from './authorization.ts';
import { type IssuedCwt, issueCwt } from './issue-cwt.ts';
import { JTI_BYTES, sealOpaqueToken } from './opaque-token.ts';
import { writeOpaqueClaims } from './opaque-claims.ts';

export interface IssueDeps {
  readonly issuer: string;
  readonly keystore: Pick<Keystore, 'sign' | 'signBytes' | 'sealingKey'>;
  readonly random: RandomBytes;
}

export interface IssuedToken {
  /** The token, when its turn to be signed has come. */
  readonly signed: Promise<string>;
  readonly jti: string;
  readonly scope: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly tokenType: 'Bearer' | 'DPoP' | 'PoP';
  /** Of a CBOR Web Token: what `signed` spells in base64url, and the key that goes with it. */
  readonly cwt?: Promise<IssuedCwt>;
}

/**
 * Signs (or seals, where the resource server wants opaque tokens) a token for one access. `now` is epoch seconds, floored: `iat` in the future is refused by some validators.
 * Written member by member: this is the one object that is made for every request.
 */
export function issue(
  deps: IssueDeps,
  client: { readonly clientId: string; readonly credentialId: string },
  held: EffectiveAccess,
  lifetime: number,
  now: number,
  terms?: IssueTerms,
): IssuedToken {
  const jtiBytes = deps.random(JTI_BYTES);
  const jti = jtiBytes.toString('base64url');
  const scope = held.scopes.length === 1 ? (held.scopes[0] as string) : held.scopes.join(' ');
  const tokenType = terms?.confirmation !== undefined && 'jkt' in terms.confirmation ? 'DPoP' : 'Bearer';
  const { format } = held.resourceServer.token;
  if (format === 'cwt') {
    const made = { jtiBytes, jti, scope, now, lifetime };
    return asCwt(deps, client, held, made, terms?.ace);
  }
  if (format === 'opaque') {
    const text = writeOpaqueClaims(client, held, { scope, iat: now, lifetime }, terms);
    return { signed: sealed(deps, jtiBytes, text), jti, scope, expiresIn: lifetime, tokenType };
  }
  const fixedPart =
    terms?.delegation === undefined
      ? fixedClaims(deps.issuer, client, held)
      : fixedText(deps.issuer, client, held, terms.delegation.subject);
  const payload =
    `${fixedPart},"scope":"${scope}",` +
    `"iat":${now},"exp":${now + lifetime},"jti":"${jti}"${terms === undefined ? '' : furtherClaims(terms)}}`;
  const { signingAlg, typ } = held.resourceServer.token;
  return { signed: deps.keystore.sign(signingAlg, typ, payload), jti, scope, expiresIn: lifetime, tokenType };
}

/** Asked for by its client for itself: nobody acts for another in CBOR. */
function asCwt(
  deps: IssueDeps,
  { clientId, credentialId }: { readonly clientId: string; readonly credentialId: string },
  { access, resourceServer: { identifier } }: EffectiveAccess,
  made: {
    readonly jtiBytes: Uint8Array;
    readonly jti: string;
    readonly scope: string;
    readonly now: number;
    readonly lifetime: number;
  },
  ace: AceTerms | undefined,
): IssuedToken {
  const { jtiBytes, jti, scope, now, lifetime } = made;
  const claims = {
    iss: deps.issuer,
    sub: clientId,
    aud: identifier,
    exp: now + lifetime,
    iat: now,
    cti: jtiBytes,
    scope,
    crd: credentialId,
    acs: access.id,
  };
  const cwt = issueCwt(deps, claims, ace);
  const signed = cwt.then(({ token }) => Buffer.from(token).toString('base64url'));
  return { signed, cwt, jti, scope, expiresIn: lifetime, tokenType: 'PoP' };
}

async function sealed({ keystore, issuer }: IssueDeps, jti: Uint8Array, text: string): Promise<string> {
  return sealOpaqueToken(await keystore.sealingKey(), issuer, jti, text);
}

function furtherClaims({ confirmation, delegation, status }: IssueTerms): string {
  let text = confirmation === undefined ? '' : `,"cnf":${JSON.stringify(confirmation)}`;
  if (delegation?.actor !== undefined) text += `,"act":${JSON.stringify(delegation.actor)}`;
  if (delegation?.via !== undefined) text += `,"via":${JSON.stringify(delegation.via)}`;
  if (status !== undefined) text += `,"status":{"status_list":${JSON.stringify(status)}}`;
  return text;
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
  client: { readonly clientId: string; readonly credentialId: string },
  held: EffectiveAccess,
): string {
  const { access, resourceServer } = held;
  const { identifier } = resourceServer;
  const { clientId, credentialId } = client;
  const known = fixed.get(access);
  if (known?.credentialId === credentialId && known.identifier === identifier) return known.text;
  // As one piece: text that was put together is walked part by part each time it is written.
  const text = Buffer.from(fixedText(issuer, client, held, clientId)).toString();
  fixed.set(access, { credentialId, identifier, text });
  return text;
}

/** client_id, ids, scopes and jti are of charsets that JSON writes as they are; the others are quoted. */
function fixedText(
  issuer: string,
  { clientId, credentialId }: { readonly clientId: string; readonly credentialId: string },
  { access, resourceServer: { identifier } }: EffectiveAccess,
  subject: string,
): string {
  return (
    `{"iss":${JSON.stringify(issuer)},"aud":${JSON.stringify(identifier)},"sub":${JSON.stringify(subject)},` +
    `"client_id":"${clientId}","crd":"${credentialId}","acs":"${access.id}"`
  );
}
