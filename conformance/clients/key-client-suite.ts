import { beforeAll, describe, expect, test } from 'vitest';
import type { ToolchainName } from '../foreign/install.ts';
import { type CallerEnvironment, prepare, printed, runForeign, seedKeyCaller } from '../foreign/run.ts';
import { type AssertionAlgorithm, type AssertionKey, makeKey } from '../wire/client-assertion.ts';
import { currentTarget } from '../wire/target.ts';

/** One way of using a client library with a key, and what the credential has to allow for it. */
export interface KeyWay {
  readonly name: string;
  readonly alg: AssertionAlgorithm;
  readonly terms?: Readonly<Record<string, unknown>>;
  /** Members are made of what the caller knows. */
  readonly env?: (caller: CallerEnvironment) => Readonly<Record<string, string>>;
}

/** Gets a token with a foreign library that signs its assertions itself, and calls the admin API with it. */
export function describeKeyClient(
  library: string,
  toolchain: ToolchainName,
  args: readonly string[],
  ways: readonly KeyWay[],
): void {
  const stem = library.replaceAll(/[^a-z0-9]+/gi, '-');
  describe.runIf(currentTarget().admin !== undefined)(
    `${library} with private_key_jwt (needs the admin API)`,
    () => {
      prepare(toolchain);

      test.for(ways)('gets a token and calls the API: $name', async ({ alg, terms, env }, context) => {
        const key = makeKey(alg);
        const caller = await seedKeyCaller(stem, key, terms);
        const environment = { ...caller, ...env?.(caller), PRIVATE_JWK: privateJwk(key) };
        const outcome = await runForeign(context, toolchain, args, environment);
        expect(printed(outcome)).toMatchObject({ scope: 'identities:read', status: 200 });
      });

      describe('and another key', () => {
        let caller: CallerEnvironment;
        const way = ways[0] as KeyWay;
        beforeAll(async () => {
          caller = await seedKeyCaller(stem, makeKey(way.alg), way.terms);
        });

        test('is reported as what it is', async (context) => {
          const environment = { ...caller, ...way.env?.(caller), PRIVATE_JWK: privateJwk(makeKey(way.alg)) };
          const outcome = await runForeign(context, toolchain, args, environment);
          expect(outcome.code).not.toBe(0);
          expect(outcome.stderr).toMatch(/invalid_client|InvalidClient|401|Unauthorized/);
        });
      });
    },
  );
}

function privateJwk({ privateKey, alg }: AssertionKey): string {
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), alg });
}
