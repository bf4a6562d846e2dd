// The agent put together: who asks, what is registered, what is served.
import type { Client } from '@countersign/client';
import type { Socket } from 'node:net';
import { type Peer, peerOf } from './attestation/attest.ts';
import { openPeerCredentials, type PeerCredentialReader } from './attestation/peer-credentials.ts';
import { follow } from './authority/followed.ts';
import { httpAuthority } from './authority/http-authority.ts';
import { createGrpcServer } from './grpc/server.ts';
import { listenOn } from './socket.ts';
import { createJwtSvids } from './svid/jwt-svids.ts';
import { createX509Svids } from './svid/x509-svids.ts';
import { jwtMethods } from './workload-api/jwt-methods.ts';
import { requireSecurityHeader } from './workload-api/methods.ts';
import { x509Methods } from './workload-api/x509-methods.ts';

export interface AgentOptions {
  readonly issuer: string;
  /** Proves that it is this agent that asks. */
  readonly client: Pick<Client, 'fetch'>;
  /** Absolute path of the socket. */
  readonly socket: string;
  /** How often the authority is asked what is registered: so long a withdrawn identity may still be served. */
  readonly everyMs: number;
  /** Epoch ms. */
  readonly now: () => number;
  /** Between 0 and 1: spreads what many agents were told at once. */
  readonly random: () => number;
  /** Tells the operator; never a secret. */
  readonly report: (text: string) => void;
}

export interface RunningAgent {
  /** For `SPIFFE_ENDPOINT_SOCKET`. */
  readonly endpoint: string;
  /** Resolves when the authority has answered for the first time, or the signal is aborted: before, calls end with 14. */
  heard(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Nobody can be told apart: the agent does not start. */
export class NoAttestation extends Error {}

/** @throws NoAttestation, and what listening throws */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const credentials = await openPeerCredentials();
  if (credentials === undefined) {
    throw new NoAttestation(
      'Callers cannot be told apart: this needs Linux and the optional package koffi (npm install koffi).',
    );
  }
  const authority = httpAuthority(options.issuer, options.client);
  const followed = follow({ authority, everyMs: options.everyMs, report: options.report });
  const jwtSvids = createJwtSvids(authority, options.now);
  const x509Svids = createX509Svids({ ...options, authority });
  followed.onChange((served) => {
    jwtSvids.keepOnly(served);
    x509Svids.keepOnly(served);
  });
  const server = createGrpcServer<Peer>({
    methods: new Map([
      ...jwtMethods({ followed, jwtSvids, now: options.now }),
      ...x509Methods({ followed, x509Svids }),
    ]),
    peerOf: (socket) => peerBehind(credentials, socket),
    keyOf: ({ uid }) => String(uid),
    requireHeaders: requireSecurityHeader,
    report: (error) => options.report(`a call failed because of a bug: ${(error as Error).stack}`),
  });
  try {
    await listenOn(server.listener, options.socket);
  } catch (error) {
    followed.close();
    x509Svids.close();
    throw error;
  }
  return {
    endpoint: `unix://${options.socket}`,
    async heard(signal) {
      while (followed.current() === undefined && !signal.aborted) await followed.changed(signal);
    },
    async stop() {
      followed.close();
      x509Svids.close();
      await server.close();
    },
  };
}

function peerBehind(credentials: PeerCredentialReader, socket: Socket): Peer | undefined {
  const read = credentials.read(socket);
  if (read === undefined) return undefined;
  const { pidfd } = read;
  if (pidfd !== undefined) socket.once('close', () => credentials.closeDescriptor(pidfd));
  return peerOf(read);
}
