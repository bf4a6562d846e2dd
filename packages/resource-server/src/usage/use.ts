// No RFC: what of this API is used, as one verifier sees it.
import { type AccessTokenClaims, encodeBase64url } from '@countersign/protocol/portable';
import type { VerifierSettings } from '../settings.ts';
import type { OpenedRoute } from './told-routes.ts';
import { UseReporter } from './use-reporter.ts';

export interface Use {
  /** One call with a genuine token for this API; `scope` is what the guard required. */
  count(claims: AccessTokenClaims, scope: readonly string[], ok: boolean, now?: number): void;
  /** A route that a scope opens, as the router knows it. */
  opens(route: OpenedRoute): void;
  start(): void;
  close(): Promise<void>;
}

/** Undefined where nobody is told. With several audiences each is an API of its own. */
export function useOf({ usage, audience, clock }: VerifierSettings): Use | undefined {
  if (usage === undefined) return undefined;
  const name = randomName();
  const reporters = new Map(
    audience.map((resourceServer): [string, UseReporter] => [
      resourceServer,
      new UseReporter({
        ...usage,
        resourceServer,
        instance: usage.instance ?? name,
        newBoot: randomName,
        clock,
        random: Math.random,
      }),
    ]),
  );
  return {
    count(claims, scope, ok, now) {
      reporterFor(claims.aud)?.count(claims, scope, ok, now);
    },
    opens(route) {
      for (const reporter of reporters.values()) reporter.opens(route);
    },
    start() {
      for (const reporter of reporters.values()) reporter.start();
    },
    async close() {
      await Promise.all([...reporters.values()].map((reporter) => reporter.close()));
    },
  };

  /** A token that is for somebody else was never an attempt at what it holds here. */
  function reporterFor(audiences: readonly string[]): UseReporter | undefined {
    for (const each of audiences) {
      const reporter = reporters.get(each);
      if (reporter !== undefined) return reporter;
    }
    return undefined;
  }
}

/** 128 random bits, in characters that a header may hold. */
function randomName(): string {
  return encodeBase64url(globalThis.crypto.getRandomValues(new Uint8Array(16)));
}
