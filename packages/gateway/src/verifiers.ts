// One verifier for each resource server that the gateway stands for: a token is for one API and opens no other.
import { readFileSync } from 'node:fs';
import { createVerifier, fetchTrusting, type Verifier } from '@countersign/resource-server';
import type { GatewayConfig } from './config/config.ts';
import type { Logger } from './telemetry/logger.ts';

export interface Verifiers {
  readonly byResource: ReadonlyMap<string, Verifier>;
  /** Resolves when keys and cut-offs of all are known; waits as long as that takes. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** @throws VerifierOptionError · Error where the file of `ca` cannot be read */
export function openVerifiers(config: GatewayConfig, logger: Logger): Verifiers {
  const { issuer, ca, cutoffs, certificateHeader, frontProxies } = config;
  const fetch = ca === undefined ? undefined : fetchTrusting(readFileSync(ca, 'utf8'));
  const byResource = new Map(
    [...config.resources.values()].map(({ name, nonces, ...options }) => [
      name,
      createVerifier({
        issuer,
        cutoffs,
        ...options,
        dpop: { nonces },
        ...(fetch && { fetch }),
        ...(certificateHeader && {
          certificateHeader: { dialect: certificateHeader, proxies: frontProxies },
        }),
      }),
    ]),
  );
  let closed = false;
  const isReady = async (name: string, verifier: Verifier): Promise<void> => {
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
  };
  return {
    byResource,
    async ready() {
      await Promise.all([...byResource].map(([name, verifier]) => isReady(name, verifier)));
    },
    async close() {
      closed = true;
      await Promise.all([...byResource.values()].map((verifier) => verifier.close()));
    },
  };
}

const RETRY_MS = 1000;
