// What an API in an edge runtime carries: the verifier as a bundler takes it there, without what only some options need.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const later = {
  name: 'what comes later',
  setup: (bundler: import('esbuild').PluginBuild) =>
    bundler.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    ),
};

/** Bytes, as `esbuild --bundle --minify | gzip -9` counts them. */
async function sizeOf(code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
    plugins: [later],
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

it('the core is smaller than 10,000 bytes', async () => {
  expect(await sizeOf("export { createVerifier } from '@countersign/resource-server'")).toBeLessThan(10_000);
});

it('with the guard of requests it is little more', async () => {
  const both = "export { createVerifier, requireScope } from '@countersign/resource-server'";
  expect(await sizeOf(both)).toBeLessThan(11_264);
});
