// Verifiers and the tiny issuer that they trust, fresh for each test of a file.
import { afterEach, beforeEach } from 'vitest';
import type { VerifierOptions } from '../src/options.ts';
import { createVerifier } from '../src/create-verifier.ts';
import type { Verifier } from '../src/verifier.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from './tiny-issuer.ts';

export const NOW = 1_800_000_000;

export interface VerifierScene {
  tiny: TinyIssuer;
  /** Epoch seconds, for all; `NOW` when a test begins. */
  now: number;
  /** A verifier for `AUDIENCE` that follows no cut-offs unless told to. It is closed after the test. */
  open(options?: Partial<VerifierOptions>): Verifier;
}

/** To be called at the top of a file: sets up and clears away around each of its tests. */
export function verifierScene(): VerifierScene {
  const verifiers: Verifier[] = [];
  const clock = (): number => scene.now;
  const scene: VerifierScene = {
    tiny: undefined as unknown as TinyIssuer,
    now: NOW,
    open(options = {}) {
      const { issuer } = scene.tiny;
      const all = { issuer, audience: AUDIENCE, clock, cutoffs: false, ...options } as VerifierOptions;
      const verifier = createVerifier(all);
      verifiers.push(verifier);
      return verifier;
    },
  };
  beforeEach(async () => {
    scene.now = NOW;
    scene.tiny = await startTinyIssuer(clock);
  });
  afterEach(async () => {
    for (const verifier of verifiers.splice(0)) await verifier.close();
    await scene.tiny.close();
  });
  return scene;
}
