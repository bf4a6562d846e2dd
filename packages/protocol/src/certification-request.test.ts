import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCertificationRequest } from './certification-request.ts';

const OPENSSL = process.env['COUNTERSIGN_TEST_OPENSSL'] ?? 'openssl';
const hasOpenssl = spawnSync(OPENSSL, ['version']).status === 0;

const KEYS: readonly (readonly [string, () => KeyObject])[] = [
  ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
  ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
];

describe('a request for a certificate', () => {
  it.runIf(hasOpenssl).each(KEYS)('for a key on %s is one to openssl', (_, key) => {
    const csr = createCertificationRequest(key());
    const read = spawnSync(OPENSSL, ['req', '-verify', '-noout', '-subject'], {
      input: csr,
      encoding: 'utf8',
    });
    expect(read.status, read.stderr).toBe(0);
    expect(read.stderr).toContain('verify OK');
  });

  it('for a key that nobody certifies is refused', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    expect(() => createCertificationRequest(privateKey)).toThrow(TypeError);
  });
});
