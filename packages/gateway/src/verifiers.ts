// One verifier for each resource server that the gateway stands for: a token is for one API and opens no other.
import {
  createConfiguredVerifier,
  type FeedFigures,
  type Logger,
  openAuthorityLink,
} from '@countersign/daemon';
import type { Verifier } from '@countersign/resource-server';
import type { GatewayConfig } from './config/config.ts';

export interface Verifiers {
  readonly byResource: ReadonlyMap<string, Verifier>;
  /** Resolves when keys and cut-offs of all are known; waits as long as that takes. */
  ready(): Promise<void>;
  /** How well cut-offs are followed, by resource. */
  feeds(): readonly FeedFigures[];
  close(): Promise<void>;
}

/** @throws ConfigFault also where a file cannot be read, or a secret can by others */
export function openVerifiers(config: GatewayConfig, logger: Logger): Verifiers {
  const { certificateHeader, frontProxies } = config;
  const link = openAuthorityLink(config, logger);
  const byResource = new Map(
    [...config.resources.values()].map(({ name, nonces, inFile, ...options }) => [
      name,
      createConfiguredVerifier(
        {
          ...link.verifying,
          ...options,
          dpop: { nonces },
          ...(certificateHeader && {
            certificateHeader: { dialect: certificateHeader, proxies: frontProxies },
          }),
        },
        inFile,
      ),
    ]),
  );
  return {
    byResource,
    async ready() {
      await Promise.all([...byResource].map(([name, verifier]) => link.untilReady(name, verifier)));
    },
    feeds: () =>
      [...byResource].flatMap(([resource, verifier]) =>
        verifier.feeds().map(({ stale, age }) => ({ resource, stale, age })),
      ),
    async close() {
      link.stopWaiting();
      await Promise.all([...byResource.values()].map((verifier) => verifier.close()));
      await link.close();
    },
  };
}
