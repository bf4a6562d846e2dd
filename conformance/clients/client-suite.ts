import { beforeAll, describe, expect, test } from 'vitest';
import { prepare, printed, runForeign, seedCaller, type CallerEnvironment } from '../foreign/run.ts';
import type { ToolchainName } from '../foreign/install.ts';
import { currentTarget } from '../wire/target.ts';

/** One way of using a client library: what it is called here, and what its program reads from the environment. */
export interface Way {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Gets a token with a foreign library in each of its ways and calls the admin API with it. */
export function describeClient(
  library: string,
  toolchain: ToolchainName,
  args: readonly string[],
  ways: readonly Way[],
): void {
  describe.runIf(currentTarget().admin !== undefined)(`${library} (needs the admin API)`, () => {
    let caller: CallerEnvironment;
    prepare(toolchain);
    beforeAll(async () => {
      caller = await seedCaller(library.replaceAll(/[^a-z0-9]+/gi, '-'));
    });

    test.for(ways)('gets a token and calls the API: $name', async ({ env }, context) => {
      const outcome = await runForeign(context, toolchain, args, { ...caller, ...env });
      expect(printed(outcome)).toMatchObject({ scope: 'identities:read', status: 200 });
    });

    test.for(ways)(
      'reports a wrong secret, and the right one works after it: $name',
      async ({ env }, context) => {
        const wrong = { ...caller, ...env, CLIENT_SECRET: 'wrong' };
        const outcome = await runForeign(context, toolchain, args, wrong);
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toMatch(/invalid_client|InvalidClient|401|Unauthorized/);
        expect(printed(await runForeign(context, toolchain, args, { ...caller, ...env }))['status']).toBe(
          200,
        );
      },
    );
  });
}
