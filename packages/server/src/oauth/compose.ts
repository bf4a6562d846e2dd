// The token wing: registers grants (RFC 6749 §4), client authentication methods (§2.3) and endpoints.
import { CLIENT_ASSERTION_ALGORITHMS, createDpopNonces, DPOP_ALGORITHMS } from '@countersign/protocol';
import type { CertificateAuthority } from '../ca/certificate-authority.ts';
import type { RevocationLists } from '../ca/revocation-lists.ts';
import type { StatusLists } from '../cutoff/status-list.ts';
import type { Route } from '../http/route.ts';
import type { JwksCache } from '../outbound/jwks-cache.ts';
import { accessConditions } from '../policy/access-conditions.ts';
import { credentialMaximumAge } from '../policy/credential-maximum-age.ts';
import { declaredPolicies } from '../policy/declared-policies.ts';
import { methodsAllowedPerEnvironment } from '../policy/methods-allowed-per-environment.ts';
import type { Rule } from '../policy/rule.ts';
import { tokenLifetimeCeiling } from '../policy/token-lifetime-ceiling.ts';
import { tokenLifetimeLimits } from '../policy/token-lifetime-limits.ts';
import type { AccessPolicy } from '../registry/explain-access.ts';
import type { OwnBundle } from '../ca/own-bundle.ts';
import type { SecretHash } from '../registry/secret-hash.ts';
import { apiKey } from './client-auth/api-key.ts';
import { clientSecretBasic } from './client-auth/client-secret-basic.ts';
import { clientSecretPost } from './client-auth/client-secret-post.ts';
import type { ClientAuthMethod } from './client-auth/method.ts';
import type { Storage } from '../storage/storage.ts';
import { selfSignedTlsClientAuth } from './client-auth/self-signed-tls-client-auth.ts';
import { privateKeyJwt } from './client-auth/private-key-jwt.ts';
import { spiffeJwt } from './client-auth/spiffe-jwt.ts';
import { issuedCertificate, SPIFFE_X509 } from './client-auth/spiffe-x509.ts';
import { tlsClientAuth } from './client-auth/tls-client-auth.ts';
import { createTrustBundles, type TrustBundles } from './client-auth/trust-bundles.ts';
import { createCutoffsEndpoint, type CutoffsEndpointDeps } from './endpoints/cutoffs.ts';
import { createDerivationKeysEndpoint, type DerivationKeysDeps } from './endpoints/derivation-keys.ts';
import { createIntrospectEndpoint } from './endpoints/introspect.ts';
import { createIssuanceRecord, type IssuanceRecordDeps } from './endpoints/issuance-record.ts';
import { createJwksEndpoint } from './endpoints/jwks.ts';
import { createRotateEndpoint, type RotateEndpointDeps } from './endpoints/rotate.ts';
import {
  createIssuingEndpoint,
  createRevocationListEndpoint,
  createRootsEndpoint,
} from './endpoints/certificate-authority.ts';
import {
  type CertificateRenewalDeps,
  createCertificateRenewalEndpoint,
} from './endpoints/certificate-renewal.ts';
import { createDeviceClaimEndpoint, type DeviceClaimDeps } from './endpoints/device-claim.ts';
import { createRevokeEndpoint, type RevokeDeps } from './endpoints/revoke.ts';
import { createSpiffeBundleEndpoint } from './endpoints/spiffe-bundle.ts';
import { createStatusListEndpoint } from './endpoints/status-list.ts';
import { createServerMetadataEndpoint } from './endpoints/server-metadata.ts';
import { judge, type PolicyDeps } from './endpoints/require-policy.ts';
import type { SignInDeps } from './endpoints/sign-in.ts';
import { createTokenEndpoint, type TokenEndpointDeps } from './endpoints/token.ts';
import { clientCredentials } from './grants/client-credentials.ts';
import { foreignSubjectToken } from './grants/foreign-subject-token.ts';
import type { Grant } from './grants/grant.ts';
import { jwtBearer, testAssertion } from './grants/jwt-bearer.ts';
import type { UsedOnceStore } from '../storage/used-once.ts';
import { tokenExchange } from './grants/token-exchange.ts';
import type { SenderConstraint } from './sender-constraint/constraint.ts';
import { createOwnTokenReader, type OwnTokenDeps } from './tokens/own-token.ts';
import { mtls } from './sender-constraint/mtls.ts';
import { dpop } from './sender-constraint/dpop.ts';

export { createBudgets } from './endpoints/budgets.ts';
export type { IssuanceCounters } from './endpoints/issuance-record.ts';
export { REFUSALS } from './refusal.ts';

export interface OAuthDeps
  extends Omit<
      TokenEndpointDeps,
      'methods' | 'grants' | 'constraints' | 'rules' | 'record' | 'signIn' | 'ownTokens'
    >,
    Omit<SignInDeps, 'constraints' | 'keystore' | 'usedOnce' | 'jwks' | 'lifetimes'>,
    IssuanceRecordDeps,
    Pick<RevokeDeps, 'changes' | 'ledger'>,
    Pick<CertificateRenewalDeps, 'trustDomain' | 'certificateLifetime' | 'revocationListUrl' | 'random'>,
    Pick<RotateEndpointDeps, 'maximumAge' | 'fetchFault' | 'rotationOverlap' | 'selfRotation'> {
  readonly secretHash: SecretHash;
  /** The built-in authority of certificates. */
  readonly ca: CertificateAuthority;
  readonly revocationLists: RevocationLists;
  /** With which devices claim their identities. */
  readonly claimCodes: DeviceClaimDeps['claimCodes'];
  /** What other trust domains verify SVIDs of this one with. */
  readonly ownBundle: OwnBundle;
  /** What SVIDs are verified with. */
  readonly bundles: TrustBundles;
  readonly keystore: TokenEndpointDeps['keystore'] &
    DerivationKeysDeps['keystore'] &
    Parameters<typeof createJwksEndpoint>[0] &
    OwnTokenDeps['keystore'];
  readonly jwksMaxAge: number;
  readonly mtlsBase: string | undefined;
  /** Whether callers' certificates are seen here. Default: where there is a listener that asks for them. */
  readonly clientCertificates?: boolean;
  readonly adminResource: string;
  readonly usedOnce: Pick<UsedOnceStore, 'claim' | 'hold'>;
  /** Keys that others publish. */
  readonly jwks: JwksCache;
  readonly storage: Pick<Storage, 'trustedIssuers' | 'credentials' | 'identities' | 'usedOnce'>;
  /** Absent: no proofs are looked at. `nonceKey` is absent where proofs need no nonce. */
  readonly dpop?: { readonly nonceKey: Uint8Array | undefined };
  readonly statusLists: StatusLists;
  readonly feed: CutoffsEndpointDeps['feed'];
  readonly followers: CutoffsEndpointDeps['followers'];
  readonly resourceServers: CutoffsEndpointDeps['resourceServers'];
}

type FederationDeps = Pick<OAuthDeps, 'issuer' | 'mtlsBase' | 'storage' | 'facts' | 'jwks' | 'firstProof'>;

export { createTrustBundles };

const RULES: readonly Rule[] = [
  methodsAllowedPerEnvironment,
  credentialMaximumAge,
  declaredPolicies,
  accessConditions,
  tokenLifetimeCeiling,
  tokenLifetimeLimits,
];
/** A form with credentials, scopes and a resource is a few hundred bytes; assertions need more. */
const TOKEN_BODY_LIMIT = 64 * 1024;

export function createOAuthRoutes(
  deps: OAuthDeps,
  given: readonly SenderConstraint[] = [],
): readonly Route[] {
  const constraints = [...given, ...(deps.dpop === undefined ? [] : [dpopOf(deps, deps.dpop)]), mtls];
  const methods: readonly ClientAuthMethod[] = [
    clientSecretBasic(deps.secretHash),
    clientSecretPost(deps.secretHash),
    privateKeyJwt({ ...deps, tokenEndpoints: tokenEndpoints(deps) }),
    issuedCertificate(
      tlsClientAuth(() => deps.ca.trust()),
      deps.bundles,
    ),
    spiffeJwt(deps),
    selfSignedTlsClientAuth,
    apiKey(deps.secretHash),
  ];
  const ownTokens = createOwnTokenReader(deps);
  const federation = federationOf(deps);
  const grants: readonly Grant[] = [
    clientCredentials,
    jwtBearer(federation),
    tokenExchange({ ...deps, ownTokens, foreign: foreignSubjectToken(federation, deps.issuer) }),
  ];
  const token = createTokenEndpoint({
    ...deps,
    methods,
    constraints,
    grants: new Map(grants.map((grant) => [grant.type, grant])),
    rules: RULES,
    record: createIssuanceRecord(deps),
    ownTokens,
    signIn: { ...deps, constraints },
  });
  const about = {
    ...deps,
    // An API key is exchanged for tokens and proves nothing elsewhere: docs/parts/api-key.md.
    methods: methods.filter((method) => method.name !== 'api_key'),
    ownTokens,
  };
  const introspect = createIntrospectEndpoint({
    ...about,
    rules: RULES,
    record: createIssuanceRecord(deps, 'introspection.refused'),
  });
  const revoke = createRevokeEndpoint({ ...about, record: createIssuanceRecord(deps, 'revocation.refused') });
  const rotate = createRotateEndpoint({ ...about, record: createIssuanceRecord(deps, 'rotation.refused') });
  const renewal = createCertificateRenewalEndpoint({
    ...about,
    record: createIssuanceRecord(deps, 'renewal.refused'),
  });
  const derivationKeys = createDerivationKeysEndpoint({
    ...about,
    rules: RULES,
    record: createIssuanceRecord(deps, 'derivation_keys.refused'),
  });
  const deviceClaim = createDeviceClaimEndpoint({
    ...about,
    record: createIssuanceRecord(deps, 'claim.refused'),
  });
  const metadata = createServerMetadataEndpoint({
    issuer: deps.issuer,
    grantTypes: grants.map((grant) => grant.type),
    clientAuthMethods: [...methods.map((method) => method.name), SPIFFE_X509].filter((name) =>
      isOffered(deps, name),
    ),
    mtlsBase: deps.mtlsBase,
    trustDomain: deps.trustDomain,
    certificateBoundTokens: seesCertificates(deps),
    assertionAlgorithms: CLIENT_ASSERTION_ALGORITHMS,
    dpopAlgorithms: deps.dpop === undefined ? undefined : DPOP_ALGORITHMS,
    protectedResources: [deps.adminResource],
  });
  const path = issuerPath(deps.issuer);
  const form = { method: 'POST', bodyLimit: TOKEN_BODY_LIMIT, errors: 'oauth' } as const;
  const read = { method: 'GET', bodyLimit: 0, errors: 'plain' } as const;
  return [
    { ...form, path: '/oauth/token', endpoint: token, fast: true },
    { ...form, path: '/oauth/introspect', endpoint: introspect, fast: true },
    { ...form, path: '/oauth/revoke', endpoint: revoke },
    { ...form, path: '/oauth/rotate', endpoint: rotate },
    { ...form, path: '/oauth/certificate', endpoint: renewal },
    { ...form, path: '/oauth/claim', endpoint: deviceClaim },
    { ...read, path: '/ca/roots', endpoint: createRootsEndpoint(deps.ca) },
    { ...read, path: '/ca/issuing', endpoint: createIssuingEndpoint(deps.ca) },
    { ...read, path: '/ca/crl/:authority', endpoint: createRevocationListEndpoint(deps.revocationLists) },
    { ...read, path: '/spiffe/bundle', endpoint: createSpiffeBundleEndpoint(deps.ownBundle) },
    { ...form, path: '/oauth/derivation-keys', endpoint: derivationKeys },
    { ...read, path: '/oauth/jwks', endpoint: createJwksEndpoint(deps.keystore, deps.jwksMaxAge) },
    { ...read, path: '/oauth/cutoffs', endpoint: createCutoffsEndpoint(about), errors: 'oauth' },
    {
      ...read,
      path: '/oauth/status/:list',
      endpoint: createStatusListEndpoint(deps.statusLists),
      errors: 'oauth',
    },
    // RFC 8414 §3.1 inserts the well-known path before the issuer's own; OpenID Connect Discovery appends it.
    { ...read, path: `/.well-known/oauth-authorization-server${path}`, endpoint: metadata },
    { ...read, path: `${path}/.well-known/openid-configuration`, endpoint: metadata },
  ];
}

/** RFC 7523 §3, 3: an assertion as a grant may be for the issuer or for its token endpoint (RFC 10070 keeps both). */
function federationOf(deps: FederationDeps): Parameters<typeof jwtBearer>[0] {
  const { issuer, storage, facts, jwks, firstProof } = deps;
  return {
    trustedIssuers: storage.trustedIssuers,
    usedOnce: storage.usedOnce,
    storage,
    facts,
    jwks,
    firstProof,
    audiences: [issuer, ...tokenEndpoints(deps)],
  };
}

/** For the other wing: what would become of an assertion now. */
export function createAssertionTest(
  deps: FederationDeps & Pick<OAuthDeps, 'clock'>,
): (assertion: string) => ReturnType<typeof testAssertion> {
  return (assertion) => testAssertion(federationOf(deps), assertion, deps.clock.now());
}

/** For the other wing: what the rules say of a token now, of conditions only what needs no request. */
export function createAccessPolicy(deps: Omit<PolicyDeps, 'rules'>): AccessPolicy {
  return ({ identity, credential, access, resourceServer, scope, declared }, at) => {
    const client = { identity, credential, method: credential.material.type, declared };
    const held = { access: { ...access, conditions: undefined }, resourceServer, scopes: [scope] };
    const how = { source: undefined, confirmation: undefined };
    return judge({ ...deps, rules: RULES }, client, held, how, at);
  };
}

function dpopOf(deps: OAuthDeps, { nonceKey }: NonNullable<OAuthDeps['dpop']>): SenderConstraint {
  return dpop({
    endpoints: tokenEndpoints(deps),
    nonces: nonceKey === undefined ? undefined : createDpopNonces(nonceKey),
    usedOnce: deps.usedOnce,
  });
}

/** What a proof or an assertion names is compared with what the metadata says, never with what a request's Host says. */
function tokenEndpoints({ issuer, mtlsBase }: Pick<OAuthDeps, 'issuer' | 'mtlsBase'>): readonly string[] {
  const bases = mtlsBase === undefined ? [issuer] : [issuer, mtlsBase];
  return bases.map((base) => `${base}/oauth/token`);
}

/** RFC 8414 §2: registered methods, and those of RFC 8705 where certificates are seen. */
function isOffered(deps: OAuthDeps, method: string): boolean {
  return (
    method !== 'api_key' &&
    (seesCertificates(deps) || (method !== SPIFFE_X509 && !method.endsWith('tls_client_auth')))
  );
}

function seesCertificates({ clientCertificates, mtlsBase }: OAuthDeps): boolean {
  return clientCertificates ?? mtlsBase !== undefined;
}

function issuerPath(issuer: string): string {
  const { pathname } = new URL(issuer);
  return pathname === '/' ? '' : pathname;
}
