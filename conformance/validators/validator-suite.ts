import { beforeAll, describe, expect, test } from 'vitest';
import { prepare, printed, runForeign, seedToken } from '../foreign/run.ts';
import type { ToolchainName } from '../foreign/install.ts';
import { decodeJwt, encodeJwt } from '../wire/jwt.ts';
import { currentTarget } from '../wire/target.ts';

/** A foreign library takes a token of ours, with the key from our JWKS over TLS, and refuses what is not ours. */
export function describeValidator(
  library: string,
  toolchain: ToolchainName,
  args: readonly string[],
  /** What else it verifies beside ES256. */
  algs: readonly string[],
  /** True where it takes no `at+jwt` as it comes: then it is also run so, with `TYP=JWT`. */
  plainAsItComes: boolean = false,
): void {
  describe.runIf(currentTarget().admin !== undefined)(`${library} (needs the admin API)`, () => {
    let env: Record<string, string>;
    prepare(toolchain);
    beforeAll(async () => {
      env = await seedToken(library.replaceAll(/[^a-z0-9]+/gi, '-'));
    });

    test('accepts the token', async (context) => {
      const claims = printed(await runForeign(context, toolchain, args, env));
      expect(claims).toMatchObject({ iss: env['ISSUER'], aud: env['RESOURCE'], client_id: env['CLIENT_ID'] });
    });

    for (const alg of algs) {
      test(`accepts a token of a resource server that wants ${alg}, and only as such`, async (context) => {
        const other = await seedToken(`${library.replaceAll(/[^a-z0-9]+/gi, '-')}-${alg.toLowerCase()}`, alg);
        expect(decodeJwt(other['TOKEN'] as string).header).toMatchObject({ alg, typ: 'at+jwt' });
        const claims = printed(await runForeign(context, toolchain, args, other));
        expect(claims).toMatchObject({ aud: other['RESOURCE'], client_id: other['CLIENT_ID'] });
        const narrow = await runForeign(context, toolchain, args, { ...other, ALG: 'ES256' });
        expect(narrow.code).not.toBe(0);
      });
    }

    const plainTest = plainAsItComes ? test : undefined;
    plainTest?.(
      'as it comes it takes tokens of a resource server that wants them called JWT, and refuses at+jwt',
      async (context) => {
        const plain = await seedToken(`${library.replaceAll(/[^a-z0-9]+/gi, '-')}-plain`, 'ES256', 'JWT');
        expect(decodeJwt(plain['TOKEN'] as string).header['typ']).toBe('JWT');
        const asItComes = { TYP: 'JWT' };
        const claims = printed(await runForeign(context, toolchain, args, { ...plain, ...asItComes }));
        expect(claims).toMatchObject({ aud: plain['RESOURCE'], client_id: plain['CLIENT_ID'] });
        expect((await runForeign(context, toolchain, args, { ...env, ...asItComes })).code).not.toBe(0);
        expect((await runForeign(context, toolchain, args, plain)).code).not.toBe(0);
      },
    );

    test('refuses it for another audience, or changed', async (context) => {
      const jwt = decodeJwt(env['TOKEN'] as string);
      const changed = encodeJwt(jwt.header, { ...jwt.claims, scope: 'read write delete' }, jwt.signature);
      for (const change of [{ RESOURCE: 'https://other.example/' }, { TOKEN: changed }])
        expect((await runForeign(context, toolchain, args, { ...env, ...change })).code).not.toBe(0);
    });
  });
}
