import { execFileSync } from 'node:child_process';

/** Makes `NAME.pem` and `NAME.key` in that folder, self-signed. */
export function writeCertificate(folder: string, name: string): void {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync('openssl', [...made, '-subj', `/CN=${name}`, '-days', '2', ...files], {
    cwd: folder,
    stdio: 'ignore',
  });
}
