// The way to the authority: whose tokens are believed, who asks about them, who is told what they were used for.
import { type Client, createClient } from '@countersign/client';
import { fetchTrusting, type Verifier, type VerifierOptions } from '@countersign/resource-server';
import type { AuthorityConfig } from './settings-file/authority.ts';
import type { Logger } from './telemetry/logger.ts';

export interface AuthorityLink {
  /** What every verifier of this process has in common. */
  readonly verifying: Pick<VerifierOptions, 'issuer' | 'cutoffs' | 'fetch' | 'introspect' | 'usage'>;
  /** Resolves when the verifier knows keys and cut-offs; waits as long as that takes, or until the end. */
  untilReady(name: string, verifier: Verifier): Promise<void>;
  /** Before the verifiers are closed: nobody waits for them any more. */
  stopWaiting(): void;
  close(): Promise<void>;
}

const RETRY_MS = 1000;

/** @throws ClientOptionError · ConfigFault where a file cannot be read, or a secret can by others */
export function openAuthorityLink(config: AuthorityConfig, logger: Logger): AuthorityLink {
  const { issuer, ca } = config;
  const fetch = ca === undefined ? undefined : fetchTrusting(ca.text());
  const client = config.client && openClient(config.client, issuer, fetch);
  const onFailure = (error: unknown): void =>
    logger.warn({ problem: (error as Error).message }, 'the authority was not told of use');
  let closed = false;
  return {
    verifying: {
      issuer,
      cutoffs: config.cutoffs && { ...config.cutoffs, ...(client && { receipts: client }) },
      ...(fetch && { fetch }),
      ...(client && config.opaqueTokens && { introspect: client }),
      ...(client && config.usage && { usage: { client, onFailure } }),
    },
    async untilReady(name, verifier) {
      while (!closed) {
        try {
          return await verifier.ready();
        } catch (error) {
          if (!closed)
            logger.warn(
              { resource: name, problem: (error as Error).message },
              'the authority is not there yet',
            );
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    },
    stopWaiting() {
      closed = true;
    },
    async close() {
      await client?.close();
    },
  };
}

function openClient(
  { id, secretFile }: NonNullable<AuthorityConfig['client']>,
  issuer: string,
  fetch: typeof globalThis.fetch | undefined,
): Client {
  return createClient({ issuer, clientId: id, clientSecret: secretFile.secret(), ...(fetch && { fetch }) });
}
