import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

/** A certificate that a client shows, with its key: both PEM. */
export interface ShownCertificate {
  readonly cert: string;
  readonly key: string;
  readonly der: Buffer;
  /** RFC 8705 section 3.1. */
  readonly thumbprint: string;
}

/** Makes a self-signed certificate with openssl. Skips the test where that is not there, fails it under COUNTERSIGN_REQUIRE=all. */
export function selfSigned(context: TestContext, name: string, days = 2): ShownCertificate {
  const openssl = process.env['COUNTERSIGN_TEST_OPENSSL'];
  if (openssl === undefined || openssl === '') {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('COUNTERSIGN_TEST_OPENSSL is not set');
    return context.skip('OpenSSL: COUNTERSIGN_TEST_OPENSSL is not set');
  }
  const folder = mkdtempSync(join(tmpdir(), 'countersign-certificate-'));
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
    const rest = ['-out', 'cert.pem', '-subj', `/CN=${name}`, '-days', String(days)];
    execFileSync(openssl, ['req', '-x509', ...key, ...rest], { cwd: folder, stdio: 'pipe' });
    const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const der = new X509Certificate(cert).raw;
    return {
      cert,
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
      der,
      thumbprint: createHash('sha256').update(der).digest('base64url'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
