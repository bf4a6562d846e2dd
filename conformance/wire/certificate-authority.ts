import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import type { ShownCertificate } from './certificates.ts';

/** A certificate as openssl made it, and what it needs to issue others. */
export interface Authority extends ShownCertificate {
  /** `extensions`: lines of openssl's configuration. What it shows is the leaf, then this authority and those above. */
  issue(subject: string, extensions?: readonly string[], days?: number): Authority;
  /** A revocation list of these, PEM. */
  listOf(revoked: readonly ShownCertificate[]): string;
  readonly pem: string;
}

export const FOR_CLIENTS: readonly string[] = [
  'basicConstraints=critical,CA:false',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=clientAuth',
];
export const FOR_AUTHORITIES: readonly string[] = [
  'basicConstraints=critical,CA:true',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];

/** An authority of its own, gone when the test ends. Skips the test without openssl, fails it under COUNTERSIGN_REQUIRE=all. */
export function certificateAuthority(context: TestContext, subject: string): Authority {
  const openssl = process.env['COUNTERSIGN_TEST_OPENSSL'];
  if (openssl === undefined || openssl === '') {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('COUNTERSIGN_TEST_OPENSSL is not set');
    return context.skip('OpenSSL: COUNTERSIGN_TEST_OPENSSL is not set');
  }
  const folder = mkdtempSync(join(tmpdir(), 'countersign-authority-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = (args: readonly string[]): void =>
    void execFileSync(openssl, args, { cwd: folder, stdio: 'pipe' });
  let made = 0;

  function make(
    name: string,
    extensions: readonly string[],
    days: number,
    issuer?: { readonly file: string; readonly cert: string },
  ): Authority {
    const file = `c${made++}`;
    const config = `[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n[v3]\n${extensions.join('\n')}\n`;
    writeFileSync(join(folder, `${file}.cnf`), config);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`];
    const request = ['req', '-new', ...key, '-subj', name, '-config', `${file}.cnf`];
    const out = ['-days', String(days), '-out', `${file}.pem`];
    if (issuer === undefined) run([...request, '-x509', '-extensions', 'v3', ...out]);
    else {
      run([...request, '-out', `${file}.csr`]);
      const by = ['-CA', `${issuer.file}.pem`, '-CAkey', `${issuer.file}.key`, '-CAcreateserial'];
      const how = ['-extfile', `${file}.cnf`, '-extensions', 'v3'];
      run(['x509', '-req', '-in', `${file}.csr`, ...by, ...how, ...out]);
    }
    const pem = readFileSync(join(folder, `${file}.pem`), 'utf8');
    const cert = issuer === undefined ? pem : pem + issuer.cert;
    const der = new X509Certificate(pem).raw;
    return {
      pem,
      cert,
      der,
      key: readFileSync(join(folder, `${file}.key`), 'utf8'),
      thumbprint: createHash('sha256').update(der).digest('base64url'),
      issue: (below, lines = FOR_CLIENTS, life = 2) => make(below, lines, life, { file, cert }),
      listOf: (revoked) => revocationList(folder, run, file, revoked),
    };
  }
  return make(subject, FOR_AUTHORITIES, 2);
}

function revocationList(
  folder: string,
  run: (args: readonly string[]) => void,
  file: string,
  revoked: readonly ShownCertificate[],
): string {
  const entries = revoked.map(
    ({ der }) =>
      `R\t351231235959Z\t250101000000Z\t${new X509Certificate(der).serialNumber}\tunknown\t/CN=x\n`,
  );
  writeFileSync(join(folder, 'index'), entries.join(''));
  writeFileSync(join(folder, 'ca.cnf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n');
  const by = ['-cert', `${file}.pem`, '-keyfile', `${file}.key`];
  run(['ca', '-gencrl', '-config', 'ca.cnf', ...by, '-crlhours', '24', '-out', 'list.crl']);
  return readFileSync(join(folder, 'list.crl'), 'utf8');
}
