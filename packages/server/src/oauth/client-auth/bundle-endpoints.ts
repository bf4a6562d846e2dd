// Where other trust domains publish their bundles: SPIFFE_Federation.md §4 and §5.2, profiles https_web and https_spiffe; RFC 7517 §5.
import { createHash, X509Certificate } from 'node:crypto';
import {
  parseSpiffeId,
  parseTrustBundle,
  type TrustBundle,
  type TrustDomain,
  type VerificationKey,
} from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import type { SafeFetch, SafeFetchOptions } from '../../outbound/safe-fetch.ts';
import type { TrustDomainRecord, TrustDomainStore } from '../../storage/trust-domains.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import type { Trust } from '../../x509/path-validation.ts';
import { spiffeIdIn } from '../../x509/svid.ts';

/** What the SVIDs of one trust domain are verified with. */
export interface DomainKeys {
  /** Of this deployment: its certificates name the credential that they serve. */
  readonly isOwn: boolean;
  readonly jwtKeys: readonly VerificationKey[];
  readonly x509: Trust;
}

export interface BundleEndpoints {
  /**
   * What the endpoint of a record that has one answered last, in this process, before it, or on another node. Undefined: nothing that
   * still counts. `patient`: waits for the endpoint where nothing is known.
   */
  keysOf(record: TrustDomainRecord, patient: boolean): Promise<DomainKeys | undefined>;
}

export interface BundleEndpointDeps {
  readonly store: Pick<TrustDomainStore, 'fetchedBundle' | 'keepFetchedBundle'>;
  /** Authorities of another trust domain than the one that is fetched: this deployment's, or a declared one's. */
  readonly authoritiesOf: (trustDomain: TrustDomain) => Promise<readonly Certificate[]>;
  readonly fetch: SafeFetch;
  readonly clock: Clock;
}

/** Seconds: asked again so often where a bundle does not say, and never more or less often than the two that follow. */
export const BUNDLE_REFRESH = 300;
export const BUNDLE_REFRESH_LEAST = 30;
export const BUNDLE_REFRESH_MOST = 3600;
/** Milliseconds for which a bundle counts, from when it came, while its endpoint does not answer. */
export const BUNDLE_STALE_MS = 86_400_000;
/** Milliseconds between two attempts. */
export const BUNDLE_COOLDOWN_MS = 30_000;

interface Endpoint {
  /** What it was declared as: with another declaration it is another endpoint. */
  readonly record: TrustDomainRecord;
  readonly declaration: string;
  keys: DomainKeys | undefined;
  sequence: number;
  at: number;
  refreshMs: number;
  triedAt: number;
  recalling: Promise<void> | undefined;
  fetching: Promise<void> | undefined;
}

export function createBundleEndpoints(deps: BundleEndpointDeps): BundleEndpoints {
  const { store, clock } = deps;
  const endpoints = new Map<string, Endpoint>();

  function endpointOf(record: TrustDomainRecord): Endpoint {
    const known = endpoints.get(record.id);
    if (known !== undefined && isDeclaredAlike(known.record, record)) return known;
    const never = Number.NEGATIVE_INFINITY;
    const endpoint: Endpoint = {
      record,
      declaration: declarationOf(record),
      keys: undefined,
      sequence: -1,
      at: never,
      refreshMs: 0,
      triedAt: never,
      recalling: undefined,
      fetching: undefined,
    };
    endpoints.set(record.id, endpoint);
    return endpoint;
  }

  /** What this process had before its start, or another node has by now. A database that does not answer makes nobody wait. */
  async function recall(endpoint: Endpoint): Promise<void> {
    const kept = await store.fetchedBundle(endpoint.record.id).catch(() => undefined);
    if (kept?.declaration === endpoint.declaration && kept.fetchedAt > endpoint.at) {
      // Another node's clock may be ahead: it would keep this one from asking.
      take(endpoint, kept.bundle, Math.min(kept.fetchedAt, clock.now()));
    }
  }

  /** True where it took the place of what was known. */
  function take(endpoint: Endpoint, text: string, at: number): boolean {
    const read = parseTrustBundle(text);
    if (!read.ok) return false;
    // SPIFFE_Federation.md §4.2: an older one does not take the place of a newer one; one that does not say is the newest.
    if (read.sequence !== undefined && read.sequence < endpoint.sequence) return false;
    endpoint.keys = keysOf(read);
    endpoint.sequence = read.sequence ?? endpoint.sequence;
    endpoint.at = at;
    const hint = read.refreshHint ?? BUNDLE_REFRESH;
    endpoint.refreshMs = Math.min(Math.max(hint, BUNDLE_REFRESH_LEAST), BUNDLE_REFRESH_MOST) * 1000;
    return true;
  }

  /** What cannot be had, or read, changes nothing: it is asked for again. */
  async function refresh(endpoint: Endpoint): Promise<void> {
    const { id, bundleEndpoint = '' } = endpoint.record;
    if (endpoint.record.endpointSpiffeId !== undefined) await recall(endpoint);
    const server = await serverOf(endpoint);
    if (server === undefined) return;
    const options = { accept: ['application/json'], ...server };
    const body = await deps.fetch(bundleEndpoint, options).catch(() => undefined);
    const [text, fetchedAt] = [body && Buffer.from(body).toString(), clock.now()];
    if (text === undefined || !take(endpoint, text, fetchedAt)) return;
    const { declaration } = endpoint;
    // Where it cannot be kept, the next start asks the endpoint.
    await store.keepFetchedBundle(id, { declaration, bundle: text, fetchedAt }).catch(() => undefined);
  }

  /** Whom the connection is to lead to. Undefined: there is no authority by which the one who is declared could be believed. */
  async function serverOf({ record, keys }: Endpoint): Promise<Partial<SafeFetchOptions> | undefined> {
    const id = parseSpiffeId(record.endpointSpiffeId ?? '');
    if (id === undefined) return {};
    const authorities =
      id.trustDomain === record.trustDomain
        ? (keys ?? givenKeys(record))?.x509.authorities
        : await deps.authoritiesOf(id.trustDomain);
    // Without any, the platform's would be believed.
    if (authorities === undefined || authorities.length === 0) return undefined;
    return {
      ca: authorities.map(({ der }) => new X509Certificate(der).toString()).join(''),
      isServer(der) {
        const read = parseCertificate(der);
        return read.ok && spiffeIdIn(read.certificate)?.text === id.text;
      },
    };
  }

  return {
    async keysOf(record, patient) {
      const endpoint = endpointOf(record);
      await (endpoint.recalling ??= recall(endpoint));
      const now = clock.now();
      if (now >= endpoint.at + endpoint.refreshMs && now >= endpoint.triedAt + BUNDLE_COOLDOWN_MS) {
        endpoint.triedAt = now;
        endpoint.fetching ??= refresh(endpoint).finally(() => (endpoint.fetching = undefined));
      }
      // Whoever is known is not made to wait for what may be news.
      if (endpoint.keys === undefined && patient) await endpoint.fetching;
      return now < endpoint.at + BUNDLE_STALE_MS || endpoint.at > now ? endpoint.keys : undefined;
    },
  };
}

function givenKeys({ bundle = '' }: TrustDomainRecord): DomainKeys | undefined {
  const read = parseTrustBundle(bundle);
  return read.ok ? keysOf(read) : undefined;
}

function isDeclaredAlike(one: TrustDomainRecord, other: TrustDomainRecord): boolean {
  return (
    one.bundleEndpoint === other.bundleEndpoint &&
    one.endpointSpiffeId === other.endpointSpiffeId &&
    one.bundle === other.bundle
  );
}

function declarationOf({ bundleEndpoint, endpointSpiffeId, bundle }: TrustDomainRecord): string {
  const declared = JSON.stringify([bundleEndpoint, endpointSpiffeId, bundle]);
  return createHash('sha256').update(declared).digest('base64url');
}

/** A certificate that cannot be read, or is no authority's, is nobody to trust: it is passed over. */
export function keysOf({ jwtKeys, certificates }: TrustBundle): DomainKeys {
  const authorities = certificates.flatMap((der) => {
    const read = parseCertificate(der);
    return read.ok && read.certificate.ca ? [read.certificate] : [];
  });
  return { isOwn: false, jwtKeys, x509: { authorities, revocation: undefined } };
}
