// Introspection of a client certificate (RFC 7662 §2.2, RFC 8705 §3.2): what a token for the asking API would hold if the client
// authenticated with it now. docs/decisions/0054.
import {
  certificateThumbprint,
  parseCertificateCredential,
  parseClientId,
  parseResourceIndicator,
} from '@countersign/protocol';
import { type EffectiveAccess, effectiveAccess, limitOf, standing } from '../../registry/effective-access.ts';
import type { CredentialUses } from '../../registry/use/credential-uses.ts';
import type { AuthenticateDeps } from '../client-auth/authenticate.ts';
import { isSelfSigned, readChain } from '../client-auth/client-certificate.ts';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import { type PolicyDeps, requirePolicy } from './require-policy.ts';

export interface IntrospectCertificateDeps extends AuthenticateDeps, PolicyDeps {
  readonly issuer: string;
  readonly uses: CredentialUses;
}

/** Members of the answer beside `active`. `exp`: when certificate, credential, identity or access end, or the token would. */
export interface CertificateClaims {
  readonly iss: string;
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly scope: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** Whoever is told must have seen this certificate's key proved. */
  readonly cnf: { readonly 'x5t#S256': string };
  readonly crd: string;
  readonly acs: string;
}

/**
 * What an API is told at `now` (epoch ms) of a certificate that was shown to it. Undefined for one that is nobody's, may not
 * act now, or opens nothing at an API that it stands for; and where it stands for several that it opens.
 */
export async function introspectCertificate(
  deps: IntrospectCertificateDeps,
  standsFor: (identifier: string) => boolean,
  text: string,
  now: number,
): Promise<CertificateClaims | undefined> {
  const shown = await authenticated(deps, text, now);
  if (shown === undefined) return undefined;
  const { holder, thumbprint, notAfter } = shown;
  const held = holder.facts.access
    .map(({ resourceServer }) => resourceServer.identifier)
    .filter(standsFor)
    .flatMap((identifier) => wouldHold(deps, holder, thumbprint, identifier, now) ?? []);
  const [only] = held;
  if (only === undefined || held.length > 1) return undefined;
  deps.uses.issued(holder.credential.id, now);
  const { access, resourceServer, scopes, lifetime } = only;
  const { identity } = holder.facts;
  const endsAt = Math.min(notAfter, holder.credential.expiresAt, identity.expiresAt, access.expiresAt);
  const iat = Math.floor(now / 1000);
  return {
    iss: deps.issuer,
    sub: identity.clientId,
    client_id: identity.clientId,
    aud: resourceServer.identifier,
    scope: scopes.join(' '),
    iat,
    exp: Math.min(iat + lifetime, Math.floor(endsAt / 1000)),
    jti: `x5t-${thumbprint}`,
    cnf: { 'x5t#S256': thumbprint },
    crd: holder.credential.id,
    acs: access.id,
  };
}

interface Shown {
  readonly holder: AuthenticatedClient;
  readonly thumbprint: string;
  /** Epoch ms. */
  readonly notAfter: number;
}

/** As at the token endpoint (RFC 8705 §2): the method that the certificate is for, on the credentials of the client it names. */
async function authenticated(
  deps: IntrospectCertificateDeps,
  text: string,
  now: number,
): Promise<Shown | undefined> {
  const named = parseCertificateCredential(text);
  const clientId = parseClientId(named?.clientId ?? '');
  if (named === undefined || clientId === undefined) return undefined;
  const facts = await deps.facts.byClientId(clientId);
  const proof = readChain(named.chain);
  const leaf = proof.certificates?.[0];
  const name = isSelfSigned(proof) ? 'self_signed_tls_client_auth' : 'tls_client_auth';
  const method = deps.methods.find((each) => each.name === name);
  if (facts === undefined || leaf === undefined || method === undefined) return undefined;
  try {
    const credential = await method.verify({ clientId, proof }, facts.credentials, now);
    if (credential === undefined || standing(facts.identity, credential, now) !== undefined) return undefined;
    const holder = { facts, credential, method: name };
    return { holder, thumbprint: certificateThumbprint(leaf.der), notAfter: leaf.notAfter };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function wouldHold(
  deps: IntrospectCertificateDeps,
  holder: AuthenticatedClient,
  thumbprint: string,
  identifier: string,
  now: number,
): (EffectiveAccess & { readonly lifetime: number }) | undefined {
  const resource = parseResourceIndicator(identifier);
  const asked = { resource, scopes: undefined };
  const result = effectiveAccess(holder.facts, asked, now, limitOf(holder.credential));
  // An API that wants a key proved with every request is not satisfied by a certificate.
  if (!result.ok || result.resourceServer.senderConstraint === 'dpop') return undefined;
  try {
    // From where the caller comes is not seen here.
    const how = { source: undefined, confirmation: { 'x5t#S256': thumbprint } };
    return { ...result, lifetime: requirePolicy(deps, holder, result, how, now) };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
