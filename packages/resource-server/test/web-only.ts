// The verifier as bundlers take it where there is no Node: with nothing in reach but what Web platforms have.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import type { VerifierOptions } from '../src/options.ts';
import type { Verifier } from '../src/verifier.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a runtime without Node has, as far as a verifier goes. */
const WEB = {
  AbortController,
  AbortSignal,
  Headers,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  atob,
  btoa,
  clearInterval,
  clearTimeout,
  crypto,
  fetch,
  performance,
  setInterval,
  setTimeout,
};
/** What Node adds, and must not be missed. */
const NODE = ['Buffer', 'process', 'require', 'module', 'global', 'setImmediate', '__filename'];

/** `createVerifier` of the package's `default` condition. Fails if anything behind it imports from `node:`. */
export async function loadWebOnly(): Promise<(options: VerifierOptions) => Verifier> {
  const { outputFiles } = await build({
    stdin: { contents: "export { createVerifier } from '@countersign/resource-server'", resolveDir: ROOT },
    bundle: true,
    format: 'iife',
    globalName: 'built',
    platform: 'neutral',
    target: 'es2022',
    write: false,
  });
  const names = [...Object.keys(WEB), ...NODE, 'globalThis'];
  const values = [...Object.values(WEB), ...NODE.map(() => undefined), WEB];
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- this is what keeps Node out of its reach
  const run = new Function(...names, `${outputFiles[0]?.text}; return built;`) as (...given: unknown[]) => {
    createVerifier(options: VerifierOptions): Verifier;
  };
  return run(...values).createVerifier;
}
