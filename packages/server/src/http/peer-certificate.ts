import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ClientCertificate } from './request.ts';

/** Reads what the peer of a TLS connection showed. Nothing is said about its validity. */
export type PeerCertificates = (socket: Socket) => ClientCertificate | undefined;

/** Certificates of one chain; what lies above is cut off and cannot be built upon. */
const LONGEST_CHAIN = 8;
/** Chains that outlive their connection, a few kilobytes each: as many that were shown, and as many that were found good. */
const MOST_CHAINS = 1000;
/** A chain that is kept. TLS takes three times as much from anybody. */
const MOST_KEPT_BYTES = 32 * 1024;

/**
 * One for all listeners of a process. A session that is resumed carries the leaf alone: its intermediates are those of
 * the handshake that it comes from, kept here by leaf. Those that somebody has found good are kept apart: strangers, who
 * shake hands with whatever certificates they make, push only each other out. They are public and prove nothing, so keeping
 * them grants nothing; where they are gone the chain is the leaf, and whoever needs more refuses it.
 */
export function createPeerCertificates(mostChains: number = MOST_CHAINS): PeerCertificates {
  const ofSocket = new WeakMap<Socket, ClientCertificate>();
  const shown: Chains = new Map();
  const good: Chains = new Map();

  function remember(chains: Chains, leaf: string, chain: readonly Uint8Array[]): void {
    if (chain.reduce((sum, { length }) => sum + length, 0) > MOST_KEPT_BYTES) return;
    chains.delete(leaf);
    chains.set(leaf, chain);
    for (const [oldest] of chains) {
      if (chains.size <= mostChains) return;
      chains.delete(oldest);
    }
  }

  return (socket) => {
    const known = ofSocket.get(socket);
    if (known !== undefined) return known;
    const tls = socket as Partial<TlsPeer>;
    const leaf = tls.getPeerX509Certificate?.();
    if (leaf === undefined) return undefined;
    let chain = chainOf(leaf);
    const { fingerprint256: id } = leaf;
    if (chain.length > 1) remember(shown, id, chain);
    else if (tls.isSessionReused?.() === true) chain = good.get(id) ?? shown.get(id) ?? chain;
    const whole = chain;
    const keep = whole.length > 1 ? () => remember(good, id, whole) : undefined;
    const certificate: ClientCertificate = { chain, source: 'tls', keep };
    ofSocket.set(socket, certificate);
    return certificate;
  };
}

/** By fingerprint of the leaf, the one longest out of use first. */
type Chains = Map<string, readonly Uint8Array[]>;

interface TlsPeer {
  getPeerX509Certificate(): X509Certificate | undefined;
  isSessionReused(): boolean;
}

function chainOf(leaf: X509Certificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (
    let next: X509Certificate | undefined = leaf;
    next !== undefined && chain.length < LONGEST_CHAIN;
    next = next.issuerCertificate
  )
    chain.push(next.raw);
  return chain;
}
