// Clients and the tiny authority that they ask, fresh for each test of a file.
import { afterEach, beforeEach, expect } from 'vitest';
import { type Client, createClient } from '../src/client.ts';
import { TokenError } from '../src/errors.ts';
import type { ClientOptions } from '../src/options.ts';
import { startTinyAuthority, type TinyAuthority } from './tiny-authority.ts';

export const NOW = 1_800_000_000;
export const SECRET = 'csk_abcdefgh_CanaryCanaryCanaryCanaryCanary12abcdef';

export interface ClientScene {
  tiny: TinyAuthority;
  /** Epoch seconds, for all; `NOW` when a test begins. */
  now: number;
  /**
   * A client that is closed after the test. With a random source of zeros pauses are at their shortest and the refresh
   * comes at 72 % of a token's life.
   */
  open(options: Omit<ClientOptions, 'issuer'> & { readonly issuer?: string }): Client;
  /** One that has a secret. */
  withSecret(options?: Partial<ClientOptions>): Client;
}

/** To be called at the top of a file: sets up and clears away around each of its tests. */
export function clientScene(): ClientScene {
  const clients: Client[] = [];
  const clock = (): number => scene.now;
  const scene: ClientScene = {
    tiny: undefined as unknown as TinyAuthority,
    now: NOW,
    open(options) {
      const random = (bytes: number): Uint8Array => new Uint8Array(bytes);
      const client = createClient({ issuer: scene.tiny.issuer, clock, random, ...options });
      clients.push(client);
      return client;
    },
    withSecret: (options = {}) => scene.open({ clientId: 'payments', clientSecret: SECRET, ...options }),
  };
  beforeEach(async () => {
    scene.now = NOW;
    scene.tiny = await startTinyAuthority(clock);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await scene.tiny.close();
  });
  return scene;
}

/** What the work fails with, which has to be a `TokenError`. */
export async function failure(work: Promise<unknown>): Promise<TokenError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TokenError);
  return error as TokenError;
}
