// A certificate for a test, made by openssl.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateThumbprint } from '@countersign/protocol';

/** PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** `x5t#S256`. */
  readonly thumbprint: string;
}

/** Self-signed, for localhost. */
export function testCertificate(name: string): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mqtt-'));
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...files], {
      cwd: folder,
      stdio: 'ignore',
    });
    const [cert, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(folder, file), 'utf8')) as [
      string,
      string,
    ];
    return { cert, key, thumbprint: certificateThumbprint(new X509Certificate(cert).raw) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
