import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { missingPackages } from './install.mjs';

let root = '';
afterEach(() => rmSync(root, { recursive: true, force: true }));

const WANTED = {
  '': {},
  'packages/a': {},
  'node_modules/a': { link: true },
  'node_modules/run': { version: '1.0.0', integrity: 'x' },
  'node_modules/test': { version: '1.0.0', integrity: 'y', dev: true },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'z', optional: true },
};

function checkout(installed: Record<string, object> | undefined): string {
  root = mkdtempSync(join(tmpdir(), 'install-'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: WANTED }));
  if (installed) {
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  }
  return root;
}

describe('what an installation lacks', () => {
  it('is everything on a fresh checkout, but for what only tests need when nothing is tested', () => {
    expect(missingPackages(checkout(undefined), { dev: true })).toBe(3);
    expect(missingPackages(root, { dev: false })).toBe(2);
  });

  it('is nothing when all is there, whatever other platforms would need', () => {
    const { 'node_modules/other-platform': _, ...installed } = WANTED;
    expect(missingPackages(checkout(installed), { dev: true })).toBe(0);
  });

  it('is what only tests need after an installation for running', () => {
    const { 'node_modules/test': _, ...installed } = WANTED;
    expect(missingPackages(checkout(installed), { dev: true })).toBe(1);
    expect(missingPackages(root, { dev: false })).toBe(0);
  });

  it('is a package of another version or content', () => {
    const other = { ...WANTED, 'node_modules/run': { version: '1.0.1', integrity: 'x2' } };
    expect(missingPackages(checkout(other), { dev: true })).toBe(1);
  });
});
