// The way to the authority: whose tokens are believed, who asks about them, who is told what they were used for.
import { type Client, createClient } from '@countersign/client';
import { fetchTrusting, type Verifier, type VerifierOptions } from '@countersign/resource-server';
import type { AuthorityConfig } from './settings-file/authority.ts';
import type { Logger } from './telemetry/logger.ts';

export interface AuthorityLink {
  /** What every verifier of this process has in common. */
  readonly verifying: Pick<VerifierOptions, 'issuer' | 'cutoffs' | 'fetch' | 'introspect' | 'usage'>;
  /** Resolves when the verifier knows keys and cut-offs; waits as long as that takes, or until the end. */
  untilReady(name: string, verifier: Pick<Verifier, 'ready'>): Promise<void>;
  /** Before the verifiers are closed: nobody waits for them any more. */
  stopWaiting(): void;
  close(): Promise<void>;
}

const RETRY_MS = 1000;
const SILENT_MS = 3000;
/** The same problem is said again after so long. */
const SAY_AGAIN_MS = 30_000;

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
    async untilReady(resource, verifier) {
      // A verifier tries for half a minute before it says why not: a wrong address should not look like nothing.
      const waiting = setTimeout(
        () => logger.warn({ resource, issuer }, 'waiting for the authority'),
        SILENT_MS,
      );
      let said: { readonly problem: string; readonly at: number } | undefined;
      try {
        while (!closed) {
          try {
            return await verifier.ready();
          } catch (error) {
            if (closed) return;
            const problem = problemOf(error);
            const now = performance.now();
            if (said?.problem !== problem || now - said.at >= SAY_AGAIN_MS) {
              said = { problem, at: now };
              logger.warn({ resource, problem }, 'the authority is not there yet');
            }
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
          }
        }
      } finally {
        clearTimeout(waiting);
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

/** The verifier names an option of its own; here it is a member of the file. */
function problemOf(error: unknown): string {
  return (error as Error).message.replace(
    'pass fetch: fetchTrusting(ca)',
    'name the CA that signed it as ca',
  );
}

function openClient(
  { id, secretFile }: NonNullable<AuthorityConfig['client']>,
  issuer: string,
  fetch: typeof globalThis.fetch | undefined,
): Client {
  return createClient({ issuer, clientId: id, clientSecret: secretFile.text(), ...(fetch && { fetch }) });
}
