// Which selectors hold for the process at the other end of a connection.
import type { PeerCredentials } from './peer-credentials.ts';
import { pidBehind, type ProcessFacts, readProcess, startOf } from './process.ts';

/** A process that was seen to connect, and can be looked at again. */
export interface Peer extends PeerCredentials {
  /** When it began, as `startOf` says it; undefined where it was gone before it could be looked at. */
  readonly start: Promise<string | undefined>;
}

export function peerOf(credentials: PeerCredentials): Peer {
  return { ...credentials, start: startOf(credentials.pid) };
}

export interface Attested {
  /** As registrations write them: `unix:uid:1000`. */
  readonly selectors: ReadonlySet<string>;
  /** The same, with those that take long to find out: asked for where a registration needs them. */
  withHash(): Promise<ReadonlySet<string>>;
}

/**
 * Looks at the process anew. Undefined: it is gone, another has its number, or it became another user since it connected.
 * What is read by the number belongs to the one that connected only if that one is still there afterwards.
 */
export async function attest(peer: Peer): Promise<Attested | undefined> {
  const facts = await factsOf(peer);
  if (facts === undefined) return undefined;
  const selectors = new Set([
    `unix:uid:${facts.uid}`,
    `unix:gid:${facts.gid}`,
    ...facts.groups.map((group) => `unix:supplementary_gid:${group}`),
    ...(facts.path === undefined ? [] : [`unix:path:${facts.path}`]),
  ]);
  return {
    selectors,
    async withHash() {
      const sha256 = await facts.sha256();
      const still = await isStill(peer);
      return sha256 === undefined || !still ? selectors : new Set([...selectors, `unix:sha256:${sha256}`]);
    },
  };
}

async function factsOf(peer: Peer): Promise<ProcessFacts | undefined> {
  if (!(await isStill(peer))) return undefined;
  const facts = await readProcess(peer.pid);
  // The kernel's word at the time of the connection is the one that counts: a process that has changed since is not it.
  if (facts === undefined || facts.uid !== peer.uid || facts.gid !== peer.gid) return undefined;
  return (await isStill(peer)) ? facts : undefined;
}

async function isStill(peer: Peer): Promise<boolean> {
  if (peer.pidfd !== undefined && (await pidBehind(peer.pidfd)) !== peer.pid) return false;
  const start = await peer.start;
  return start !== undefined && (await startOf(peer.pid)) === start;
}
