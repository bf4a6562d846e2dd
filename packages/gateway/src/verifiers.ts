// One verifier for each resource server that the gateway stands for: a token is for one API and opens no other.
import { readFileSync, statSync } from 'node:fs';
import { type Client, createClient } from '@countersign/client';
import { createVerifier, fetchTrusting, type Verifier } from '@countersign/resource-server';
import type { GatewayConfig } from './config/config.ts';
import type { Logger } from './telemetry/logger.ts';
import type { FeedFigures } from './telemetry/metrics.ts';

export interface Verifiers {
  readonly byResource: ReadonlyMap<string, Verifier>;
  /** Resolves when keys and cut-offs of all are known; waits as long as that takes. */
  ready(): Promise<void>;
  /** How well cut-offs are followed, by resource. */
  feeds(): readonly FeedFigures[];
  close(): Promise<void>;
}

/** @throws VerifierOptionError · ClientOptionError · Error where a file cannot be read, or a secret can by others */
export function openVerifiers(config: GatewayConfig, logger: Logger): Verifiers {
  const { issuer, ca, certificateHeader, frontProxies } = config;
  const fetch = ca === undefined ? undefined : fetchTrusting(readFileSync(ca, 'utf8'));
  const client = config.client && openClient(config.client, issuer, fetch);
  const cutoffs = config.cutoffs && { ...config.cutoffs, ...(client && { receipts: client }) };
  const onFailure = (error: unknown): void =>
    logger.warn({ problem: (error as Error).message }, 'the authority was not told of use');
  const byResource = new Map(
    [...config.resources.values()].map(({ name, nonces, ...options }) => [
      name,
      createVerifier({
        issuer,
        cutoffs,
        ...options,
        dpop: { nonces },
        ...(fetch && { fetch }),
        ...(client && config.opaqueTokens && { introspect: client }),
        ...(client && config.usage && { usage: { client, onFailure } }),
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
    feeds: () =>
      [...byResource].flatMap(([resource, verifier]) =>
        verifier.feeds().map(({ stale, age }) => ({ resource, stale, age })),
      ),
    async close() {
      closed = true;
      await Promise.all([...byResource.values()].map((verifier) => verifier.close()));
      await client?.close();
    },
  };
}

function openClient(
  { id, secretFile }: NonNullable<GatewayConfig['client']>,
  issuer: string,
  fetch: typeof globalThis.fetch | undefined,
): Client {
  if (process.platform !== 'win32' && (statSync(secretFile).mode & 0o077) !== 0) {
    throw new Error(`${secretFile} is readable by others: chmod 600 ${secretFile}`);
  }
  const clientSecret = readFileSync(secretFile, 'utf8').trim();
  return createClient({ issuer, clientId: id, clientSecret, ...(fetch && { fetch }) });
}

const RETRY_MS = 1000;
