import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { thirdPartyNotices } from './notices.mjs';

let root = '';
afterEach(() => rmSync(root, { recursive: true, force: true }));

function installed(files: Readonly<Record<string, string>>): void {
  root = mkdtempSync(join(tmpdir(), 'notices-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function manifest(name: string, license: string): string {
  return JSON.stringify({ name, version: '1.2.3', license, author: { name: 'Ada' } });
}

/** As much of the bundler's account as is read. */
function bundleOf(...inputs: readonly (readonly [path: string, bytesInOutput: number])[]): never {
  const counted = Object.fromEntries(inputs.map(([path, bytesInOutput]) => [path, { bytesInOutput }]));
  return { outputs: { 'out/main.js': { inputs: counted } } } as never;
}

describe('the notices of a bundle', () => {
  it('bring the text of every package that something is taken from, however deep it is installed', () => {
    installed({
      'node_modules/@scope/a/package.json': manifest('@scope/a', 'ISC'),
      'node_modules/@scope/a/LICENSE.md': 'terms of a',
      'node_modules/@scope/a/node_modules/b/package.json': manifest('b', 'MIT'),
      'node_modules/@scope/a/node_modules/b/LICENCE': 'terms of b',
      'node_modules/@scope/a/node_modules/b/NOTICE': 'notice of b',
    });
    const text = thirdPartyNotices(
      root,
      bundleOf(
        ['packages/server/dist/main.js', 9],
        ['node_modules/@scope/a/lib/x.js', 1],
        ['node_modules/@scope/a/node_modules/b/index.js', 1],
      ),
    );
    expect(text).toContain('@scope/a 1.2.3 (ISC)\n\nterms of a');
    expect(text).toContain('b 1.2.3 (MIT)\n\nterms of b\n\nnotice of b');
  });

  it('leave out a package of which nothing is left in the bundle', () => {
    installed({ 'node_modules/a/package.json': manifest('a', 'unheard of') });
    expect(thirdPartyNotices(root, bundleOf(['node_modules/a/index.js', 0]))).not.toContain('unheard of');
  });

  it('bring the registered text where a package names its licence only', () => {
    installed({ 'node_modules/a/package.json': manifest('a', 'MIT') });
    const text = thirdPartyNotices(root, bundleOf(['node_modules/a/index.js', 1]));
    expect(text).toContain('Copyright Ada\n\nPermission is hereby granted');
  });

  it('cannot be made where a text is neither brought nor known', () => {
    installed({ 'node_modules/a/package.json': manifest('a', 'BSD-3-Clause') });
    expect(() => thirdPartyNotices(root, bundleOf(['node_modules/a/index.js', 1]))).toThrow(
      'node_modules/a brings no text of its licence (BSD-3-Clause)',
    );
  });
});
