// What the SVIDs of each trust domain are verified with, and never those of another: X509-SVID.md §5.2, JWT-SVID.md §4; RFC 7517 §5.
// Bundle endpoints, profile https_web: SPIFFE_Federation.md §5.2.
import {
  parseJwkSet,
  parseTrustBundle,
  type TrustBundle,
  type TrustDomain,
  type VerificationKey,
} from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { TrustDomainRecord, TrustDomainStore } from '../../storage/trust-domains.ts';
import { parseCertificate } from '../../x509/certificate.ts';
import type { Trust } from '../../x509/path-validation.ts';

/** Of one trust domain. */
export interface DomainKeys {
  /** Of this deployment: its certificates name the credential that they serve. */
  readonly isOwn: boolean;
  readonly jwtKeys: readonly VerificationKey[];
  readonly x509: Trust;
}

export interface TrustBundles {
  /** Undefined: it is not declared here, or nothing is known of it. */
  of(trustDomain: TrustDomain): Promise<DomainKeys | undefined>;
  /** Of each declared trust domain of which something is known at this moment, oldest first. Waits for no endpoint. */
  declared(): Promise<ReadonlyMap<string, DomainKeys>>;
}

export interface TrustBundleDeps {
  readonly trustDomain: TrustDomain;
  /** Of JWT-SVIDs of this deployment: the same object until that changes. */
  readonly jwks: () => object;
  /** Of certificates of this deployment. */
  readonly trust: () => Trust;
  readonly trustDomains: Pick<TrustDomainStore, 'byTrustDomain' | 'list'>;
  readonly fetch: SafeFetch;
  readonly clock: Clock;
}

/** Seconds: asked again so often where a bundle does not say, and never more or less often than the two that follow. */
export const BUNDLE_REFRESH = 300;
export const BUNDLE_REFRESH_LEAST = 30;
export const BUNDLE_REFRESH_MOST = 3600;
/** Milliseconds for which a bundle counts, from when it came, while its endpoint does not answer. */
export const BUNDLE_STALE_MS = 86_400_000;
/** Whose bundles are given to workloads. */
export const MOST_DECLARED = 100;
/** Milliseconds between two attempts. */
export const BUNDLE_COOLDOWN_MS = 30_000;

interface Fetched {
  keys: DomainKeys | undefined;
  sequence: number;
  at: number;
  refreshMs: number;
  triedAt: number;
  fetching: Promise<void> | undefined;
}

export function createTrustBundles(deps: TrustBundleDeps): TrustBundles {
  const given = new Map<string, { readonly version: number; readonly keys: DomainKeys }>();
  const fetched = new Map<string, Fetched>();
  let own: { readonly jwks: object; readonly trust: Trust; readonly keys: DomainKeys } | undefined;

  function ownKeys(): DomainKeys {
    const [jwks, trust] = [deps.jwks(), deps.trust()];
    if (own?.jwks !== jwks || own.trust !== trust) {
      const read = parseJwkSet(jwks);
      const keys = { isOwn: true, jwtKeys: read.ok ? read.keys : [], x509: trust };
      own = { jwks, trust, keys };
    }
    return own.keys;
  }

  function givenKeys({ id, version, bundle = '' }: TrustDomainRecord): DomainKeys | undefined {
    const known = given.get(id);
    if (known?.version === version) return known.keys;
    const read = parseTrustBundle(bundle);
    if (!read.ok) return undefined;
    const keys = keysOf(read);
    given.set(id, { version, keys });
    return keys;
  }

  async function fetchedKeys(id: string, url: string, patient: boolean): Promise<DomainKeys | undefined> {
    const key = JSON.stringify([id, url]);
    let entry = fetched.get(key);
    if (entry === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      entry = { keys: undefined, sequence: -1, at: never, refreshMs: 0, triedAt: never, fetching: undefined };
      fetched.set(key, entry);
    }
    const now = deps.clock.now();
    if (now >= entry.at + entry.refreshMs && now >= entry.triedAt + BUNDLE_COOLDOWN_MS) {
      const of = entry;
      of.triedAt = now;
      of.fetching ??= refresh(of, url).finally(() => (of.fetching = undefined));
    }
    // Whoever is known is not made to wait for what may be news.
    if (entry.keys === undefined && patient) await entry.fetching;
    return now < entry.at + BUNDLE_STALE_MS || entry.at > now ? entry.keys : undefined;
  }

  async function keysOfDomain(record: TrustDomainRecord, patient: boolean): Promise<DomainKeys | undefined> {
    return record.bundleEndpoint === undefined
      ? givenKeys(record)
      : await fetchedKeys(record.id, record.bundleEndpoint, patient);
  }

  /** What cannot be had, or read, changes nothing: it is asked for again. */
  async function refresh(entry: Fetched, url: string): Promise<void> {
    const body = await deps.fetch(url, { accept: ['application/json'] }).catch(() => undefined);
    const read = body === undefined ? undefined : parseTrustBundle(body);
    if (read === undefined || !read.ok) return;
    // SPIFFE_Federation.md §4.2: an older one does not take the place of a newer one; one that does not say is the newest.
    if (read.sequence !== undefined && read.sequence < entry.sequence) return;
    entry.keys = keysOf(read);
    entry.sequence = read.sequence ?? entry.sequence;
    entry.at = deps.clock.now();
    const hint = read.refreshHint ?? BUNDLE_REFRESH;
    entry.refreshMs = Math.min(Math.max(hint, BUNDLE_REFRESH_LEAST), BUNDLE_REFRESH_MOST) * 1000;
  }

  return {
    async of(trustDomain) {
      if (trustDomain === deps.trustDomain) return ownKeys();
      const record = await deps.trustDomains.byTrustDomain(trustDomain);
      return record === undefined ? undefined : await keysOfDomain(record, true);
    },
    async declared() {
      const { items } = await deps.trustDomains.list({ limit: MOST_DECLARED, after: undefined });
      const found = await Promise.all(items.map((record) => keysOfDomain(record, false)));
      return new Map(
        items.flatMap(({ trustDomain }, at) => {
          const keys = found[at];
          return keys === undefined ? [] : [[trustDomain, keys] as const];
        }),
      );
    },
  };
}

/** A certificate that cannot be read, or is no authority's, is nobody to trust: it is passed over. */
function keysOf({ jwtKeys, certificates }: TrustBundle): DomainKeys {
  const authorities = certificates.flatMap((der) => {
    const read = parseCertificate(der);
    return read.ok && read.certificate.ca ? [read.certificate] : [];
  });
  return { isOwn: false, jwtKeys, x509: { authorities, revocation: undefined } };
}
