// JWT-SVIDs: JWT-SVID.md of the SPIFFE specification. For agents: each gets those of what is registered with it.
import type { ServedWorkloads } from '@countersign/admin-api';
import { JWT_SVID_TYP, type VerificationKey } from '@countersign/protocol';
import { canonicalJson } from '@countersign/tlog';
import type { AuditLog } from '../../audit/log.ts';
import type { CertificateAuthority } from '../../ca/certificate-authority.ts';
import { LIST_LIFETIME_MS, type RevocationLists } from '../../ca/revocation-lists.ts';
import { newId } from '../../ids.ts';
import type { Keystore } from '../../keys/keystore.ts';
import { certificationRequestOf } from '../../registry/certificates/certificate-request.ts';
import { type IssueDeps, issueCertificate } from '../../registry/certificates/issue.ts';
import { rfc3339 } from '../../registry/views.ts';
import { spiffeIdOfIdentity } from '../../ca/names.ts';
import { certificateTexts } from '../../registry/spiffe/certificate-texts.ts';
import { type ServedWorkload, servedBy, servedOne } from '../../registry/workload/served.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Admin } from './admin.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';

export interface SvidDeps extends IssueDeps {
  readonly issuer: string;
  readonly ca: Pick<CertificateAuthority, 'issuer' | 'roots' | 'all'>;
  readonly revocationLists: Pick<RevocationLists, 'read'>;
  /** Of each declared trust domain of which something is known. */
  readonly foreignBundles: () => Promise<ReadonlyMap<string, ForeignBundle>>;
  /** X.509: milliseconds; JWT: seconds. */
  readonly svidLifetimes: { readonly x509: number; readonly jwt: number };
  readonly storage: Pick<Storage, 'workloads' | 'identities'>;
  /** Keys of JWT-SVIDs and of nothing else. */
  readonly svidKeystore: Pick<Keystore, 'sign' | 'jwks'>;
  readonly log: Pick<AuditLog, 'append'>;
  readonly node: string;
}

/** What the token wing knows of another trust domain. */
export interface ForeignBundle {
  readonly jwtKeys: readonly VerificationKey[];
  readonly x509: { readonly authorities: readonly { readonly der: Uint8Array }[] };
}

/** Milliseconds. Near the end of its registration a workload gets shorter ones, and then keeps the last. */
const SHORTEST_X509_SVID_MS = 10_000;
/** A revocation list is good for a day, and made anew after half of it. */
const LISTS_KEPT_MS = LIST_LIFETIME_MS / 2;

export function svidHandlers(deps: SvidDeps): NounHandlers<'svids'> {
  return {
    'svids.served': {
      kind: 'read',
      async run({ admin }) {
        const now = deps.clock.now();
        const served = await servedBy(deps.storage, admin.actor.identity, now);
        return {
          body: {
            trust_domain: deps.trustDomain,
            workloads: served.map(({ workload, identity }) => ({
              id: workload.id,
              spiffe_id: spiffeIdOfIdentity(deps.trustDomain, identity).text,
              selectors: [...workload.selectors],
              hint: workload.hint ?? '',
            })),
            bundles: await bundlesOf(deps),
            issuers: deps.ca.all().map(({ certificate }) => base64(certificate.der)),
            ...(await listsOf(deps, now)),
          },
        };
      },
    },

    'svids.jwt': {
      kind: 'many',
      async run({ body, admin }) {
        const served = await requireServed(deps, admin, body.workload);
        const now = deps.clock.now();
        const made = await makeJwtSvid(deps, served, body.audience, now);
        await deps.log.append(issuedEvent(deps, admin, served, made, body.audience));
        // What was withdrawn while the log took it does not leave.
        await requireServed(deps, admin, body.workload);
        const { svid, spiffeId, expiresAt } = made;
        return { body: { svid, spiffe_id: spiffeId, expires_at: rfc3339(expiresAt) } };
      },
      async preview({ body, admin }) {
        await requireServed(deps, admin, body.workload);
        return [];
      },
    },

    'svids.x509': {
      kind: 'write',
      async run({ body, admin }, stores, tell) {
        const { actor } = admin;
        const now = deps.clock.now();
        const found = await servedOne(stores, actor.identity, body.workload, now);
        const { workload, identity } = required(found, 'workload');
        const { chain, record } = await issueCertificate(deps, stores, tell, identity, {
          request: certificationRequestOf(body.csr),
          lifetime: Math.min(
            deps.svidLifetimes.x509,
            deps.certificateLifetime(identity.kind),
            workload.expiresAt - now,
          ),
          shortest: SHORTEST_X509_SVID_MS,
          by: 'agent',
        });
        return {
          body: {
            chain: certificateTexts(chain),
            spiffe_id: spiffeIdOfIdentity(deps.trustDomain, identity).text,
            expires_at: rfc3339(record.notAfter),
          },
        };
      },
    },
  };
}

/** Whose it is, and whether it is there, is nobody's business whom it is not registered with. */
async function requireServed(deps: SvidDeps, { actor }: Admin, workload: string): Promise<ServedWorkload> {
  return required(await servedOne(deps.storage, actor.identity, workload, deps.clock.now()), 'workload');
}

interface MadeJwtSvid {
  readonly svid: string;
  readonly spiffeId: string;
  readonly jti: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** JWT-SVID.md §3: `iss` and `iat` beside what it asks for, so that other software may take it for an OpenID token. */
async function makeJwtSvid(
  deps: SvidDeps,
  { workload, identity }: ServedWorkload,
  audience: readonly string[],
  now: number,
): Promise<MadeJwtSvid> {
  const iat = Math.floor(now / 1000);
  const end = Math.floor(Math.min(workload.expiresAt, identity.expiresAt) / 1000);
  const exp = Math.min(iat + deps.svidLifetimes.jwt, end);
  const jti = newId('svd', deps.random);
  const spiffeId = spiffeIdOfIdentity(deps.trustDomain, identity).text;
  const claims = { iss: deps.issuer, sub: spiffeId, aud: audience, iat, exp, jti };
  const svid = await deps.svidKeystore.sign('ES256', JWT_SVID_TYP, JSON.stringify(claims));
  return { svid, spiffeId, jti, expiresAt: exp * 1000 };
}

function issuedEvent(
  deps: SvidDeps,
  { actor }: Admin,
  { workload, identity }: ServedWorkload,
  made: MadeJwtSvid,
  audience: readonly string[],
): Parameters<AuditLog['append']>[0] {
  return {
    id: newId('evt', deps.random),
    at: rfc3339(deps.clock.now()),
    type: 'svid.issued',
    outcome: 'success',
    request_id: actor.requestId,
    identity: identity.clientId,
    resource: workload.id,
    jti: made.jti,
    lifetime: Math.round((made.expiresAt - deps.clock.now()) / 1000),
    source: actor.source,
    instance: actor.instance,
    node: deps.node,
    detail: canonicalJson({
      kind: 'jwt',
      spiffe_id: made.spiffeId,
      audience: [...audience],
      agent: actor.identity,
      agent_credential: actor.credential ?? null,
    }),
  };
}

/** By trust domain, each apart: the own one first. */
async function bundlesOf(deps: SvidDeps): Promise<ServedWorkloads['bundles']> {
  const { ca, svidKeystore } = deps;
  const jwt = { keys: svidKeystore.jwks().keys.map(withoutUse) };
  const bundles: ServedWorkloads['bundles'] = {
    [deps.trustDomain]: { jwt, x509: ca.roots().flatMap(certificateTexts) },
  };
  for (const [trustDomain, { jwtKeys, x509 }] of await deps.foreignBundles()) {
    bundles[trustDomain] = {
      jwt: { keys: jwtKeys.map(jwkOf) },
      x509: x509.authorities.map(({ der }) => base64(der)),
    };
  }
  return bundles;
}

/** Readers of the Workload API take a plain JWKS. */
function withoutUse({ use: _use, ...key }: Readonly<Record<string, string>>): Record<string, string> {
  return key;
}

function jwkOf({ kid, alg, keyObject }: VerificationKey): Record<string, string> {
  const material = keyObject.export({ format: 'jwk' }) as Record<string, string>;
  return { ...material, alg, ...(kid === undefined ? {} : { kid }) };
}

/** Of each authority that has its key here. Nodes make lists of their own, which say the same. */
async function listsOf(
  { ca, revocationLists }: SvidDeps,
  now: number,
): Promise<Pick<ServedWorkloads, 'crl' | 'crl_content'>> {
  const read = await Promise.all(ca.all().map(({ id }) => revocationLists.read(id)));
  const lists = read.filter((list) => list !== undefined);
  const content = [String(Math.floor(now / LISTS_KEPT_MS)), ...lists.map((list) => list.content)];
  return { crl: lists.map(({ der }) => base64(der)), crl_content: content.join('.') };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
