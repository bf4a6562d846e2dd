// JWT-SVIDs: JWT-SVID.md of the SPIFFE specification. For agents: each gets those of what is registered with it.
import { JWT_SVID_TYP } from '@countersign/protocol';
import { canonicalJson } from '@countersign/tlog';
import type { AuditLog } from '../../audit/log.ts';
import type { CertificateAuthority } from '../../ca/certificate-authority.ts';
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
  readonly storage: Pick<Storage, 'workloads' | 'identities'>;
  /** Keys of JWT-SVIDs and of nothing else. */
  readonly svidKeystore: Pick<Keystore, 'sign' | 'jwks'>;
  readonly log: Pick<AuditLog, 'append'>;
  readonly node: string;
}

/** As long as an agent may do without its authority. */
const X509_SVID_LIFETIME_MS = 3_600_000;
/** Seconds. It is a bearer token: whoever sees it may show it, for so long. */
const JWT_SVID_LIFETIME = 300;

export function svidHandlers(deps: SvidDeps): NounHandlers<'svids'> {
  return {
    'svids.served': {
      kind: 'read',
      async run({ admin }) {
        const served = await servedBy(deps.storage, admin.actor.identity, deps.clock.now());
        return {
          body: {
            trust_domain: deps.trustDomain,
            workloads: served.map(({ workload, identity }) => ({
              id: workload.id,
              spiffe_id: spiffeIdOfIdentity(deps.trustDomain, identity).text,
              selectors: [...workload.selectors],
              hint: workload.hint ?? '',
            })),
            bundles: {
              [deps.trustDomain]: { jwt: jwtBundle(deps), x509: deps.ca.roots().flatMap(certificateTexts) },
            },
            issuers: deps.ca.all().map(({ certificate }) => Buffer.from(certificate.der).toString('base64')),
            crl: [],
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
          lifetime: Math.min(X509_SVID_LIFETIME_MS, workload.expiresAt - now),
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
  const exp = Math.min(iat + JWT_SVID_LIFETIME, end);
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

/** Without `use`: readers of the Workload API take a plain JWKS. */
function jwtBundle({ svidKeystore }: SvidDeps): { keys: Record<string, string>[] } {
  return {
    keys: svidKeystore.jwks().keys.map((key) => {
      const { use: _use, ...rest } = key;
      return rest;
    }),
  };
}
