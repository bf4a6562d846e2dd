// X.509-SVID profile of the SPIFFE Workload API (§5): FetchX509SVID, FetchX509Bundles.
import type { Peer } from '../attestation/attest.ts';
import type { Served } from '../authority/authority.ts';
import type { Followed } from '../authority/followed.ts';
import type { Method } from '../grpc/server.ts';
import { GrpcError } from '../grpc/status.ts';
import type { X509Svids } from '../svid/x509-svids.ts';
import { entitledOf, statusOf } from './entitled.ts';
import { x509BundlesResponse, x509SvidResponse } from './messages.ts';
import { pathOf } from './methods.ts';
import { either, stream } from './stream.ts';

export interface X509MethodDeps {
  readonly followed: Followed;
  readonly x509Svids: X509Svids;
}

export function x509Methods(deps: X509MethodDeps): readonly (readonly [string, Method<Peer>])[] {
  return [
    [pathOf('FetchX509SVID'), fetchX509Svid(deps)],
    [pathOf('FetchX509Bundles'), fetchX509Bundles(deps)],
  ];
}

function fetchX509Svid({ followed, x509Svids }: X509MethodDeps): Method<Peer> {
  return (call) =>
    stream(call, either(followed, x509Svids), async () => {
      const { served, registrations } = await entitledOf(followed, call.peer);
      const bundle = served.x509Bundles.get(served.trustDomain) ?? [];
      // Whoever got a chain and nothing to hold others' against would take it for a fault of its own.
      if (bundle.length === 0) throw new GrpcError('unavailable', 'the authority has no certificates yet');
      const svids = await Promise.all(
        registrations.map(async (each) => {
          const { chain, key } = await x509Svids.get(each).catch((error: unknown) => {
            throw statusOf(error);
          });
          return { spiffeId: each.spiffeId, chain, key, bundle, hint: each.hint };
        }),
      );
      return x509SvidResponse({ svids, crl: served.crl, federatedBundles: bundlesOf(served, false) });
    });
}

function fetchX509Bundles({ followed }: X509MethodDeps): Method<Peer> {
  return (call) =>
    stream(call, followed, async () => {
      const { served } = await entitledOf(followed, call.peer);
      return x509BundlesResponse(served.crl, bundlesOf(served, true));
    });
}

/** By SPIFFE ID of the trust domain, the certificates one after the other. */
function bundlesOf(served: Served, withOwn: boolean): ReadonlyMap<string, Uint8Array> {
  const bundles = [...served.x509Bundles].filter(
    ([name, list]) => list.length > 0 && (withOwn || name !== served.trustDomain),
  );
  return new Map(bundles.map(([name, list]) => [`spiffe://${name}`, Buffer.concat(list)]));
}
