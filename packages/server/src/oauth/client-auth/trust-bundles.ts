// What the SVIDs of each trust domain are verified with, and never those of another: X509-SVID.md §5.2, JWT-SVID.md §4; RFC 7517 §5.
import { parseJwkSet, parseSpiffeId, parseTrustBundle, type TrustDomain } from '@countersign/protocol';
import type { Clock } from '../../clock.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { TrustDomainRecord, TrustDomainStore } from '../../storage/trust-domains.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Trust } from '../../x509/path-validation.ts';
import { createBundleEndpoints, type DomainKeys, keysOf } from './bundle-endpoints.ts';

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
  readonly trustDomains: Pick<
    TrustDomainStore,
    'byTrustDomain' | 'list' | 'fetchedBundle' | 'keepFetchedBundle'
  >;
  readonly fetch: SafeFetch;
  readonly clock: Clock;
}

/** Whose bundles are given to workloads. */
export const MOST_DECLARED = 100;

export function createTrustBundles(deps: TrustBundleDeps): TrustBundles {
  const { trustDomains: store, fetch, clock } = deps;
  const given = new Map<string, { readonly version: number; readonly keys: DomainKeys }>();
  const endpoints = createBundleEndpoints({ store, authoritiesOf, fetch, clock });
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

  async function keysOfDomain(record: TrustDomainRecord, patient: boolean): Promise<DomainKeys | undefined> {
    return record.bundleEndpoint === undefined ? givenKeys(record) : await endpoints.keysOf(record, patient);
  }

  /** Two trust domains whose endpoints answer in the name of each other would wait for each other. */
  async function authoritiesOf(trustDomain: TrustDomain): Promise<readonly Certificate[]> {
    if (trustDomain === deps.trustDomain) return ownKeys().x509.authorities;
    const record = await store.byTrustDomain(trustDomain);
    if (record === undefined) return [];
    const by = parseSpiffeId(record.endpointSpiffeId ?? '')?.trustDomain ?? trustDomain;
    return (await keysOfDomain(record, by === trustDomain))?.x509.authorities ?? [];
  }

  return {
    async of(trustDomain) {
      if (trustDomain === deps.trustDomain) return ownKeys();
      const record = await store.byTrustDomain(trustDomain);
      return record === undefined ? undefined : await keysOfDomain(record, true);
    },
    async declared() {
      const { items } = await store.list({ limit: MOST_DECLARED, after: undefined });
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
