import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OPENSSL = process.env['COUNTERSIGN_TEST_OPENSSL'] ?? 'openssl';

export const hasOpenssl: boolean = spawnSync(OPENSSL, ['version']).status === 0;

export interface Made {
  readonly name: string;
  readonly pem: string;
  readonly der: Uint8Array;
  /** Files, for programs. */
  readonly file: string;
  readonly keyFile: string;
}

export interface Wanted {
  readonly subject?: string;
  /** Signed by itself when left out. */
  readonly issuer?: Made;
  /** Lines of an extension section. */
  readonly extensions?: readonly string[];
  /** For `openssl genpkey`. */
  readonly key?: readonly string[];
  /** For the signature: `-sha1`, `-sigopt …`. */
  readonly sign?: readonly string[];
  readonly days?: number;
  /** Uses a key that is there. */
  readonly keyOf?: Made;
}

export const EC_KEY = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;
export const rsaKey = (bits: number): readonly string[] => [
  '-algorithm',
  'RSA',
  '-pkeyopt',
  `rsa_keygen_bits:${bits}`,
];

export const CA_EXTENSIONS: readonly string[] = [
  'basicConstraints=critical,CA:true',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];
export const LEAF_EXTENSIONS: readonly string[] = [
  'basicConstraints=critical,CA:false',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=clientAuth',
  'authorityKeyIdentifier=keyid',
];

/** Authorities and certificates as openssl makes them, in a folder of their own. */
export class OpensslEstate {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'countersign-x509-'));
  #serial = 1000;

  run(args: readonly string[], input?: string): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(OPENSSL, args, {
      cwd: this.directory,
      input,
      encoding: 'utf8',
    });
    return { status, text: stdout + stderr };
  }

  must(args: readonly string[]): string {
    const { status, text } = this.run(args);
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${text}`);
    return text;
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  make(name: string, wanted: Wanted): Made {
    const { issuer, subject = `/CN=${name}`, extensions = [], sign = ['-sha256'], days = 30 } = wanted;
    const keyFile = wanted.keyOf?.keyFile ?? join(this.directory, `${name}.key`);
    const file = join(this.directory, `${name}.pem`);
    if (wanted.keyOf === undefined) this.must(['genpkey', ...(wanted.key ?? EC_KEY), '-out', keyFile]);
    const config = this.write(
      `${name}.cnf`,
      `[req]\ndistinguished_name=dn\nstring_mask=utf8only\nutf8=yes\n[dn]\n[v3]\n${extensions.join('\n')}\n`,
    );
    const request = ['req', '-new', '-utf8', '-key', keyFile, '-subj', subject, '-config', config];
    const section = extensions.length === 0 ? [] : ['-extensions', 'v3'];
    if (issuer === undefined) {
      this.must([...request, '-x509', '-days', `${days}`, ...sign, ...section, '-out', file]);
    } else {
      const csr = join(this.directory, `${name}.csr`);
      this.must([...request, '-out', csr]);
      const by = ['-CA', issuer.file, '-CAkey', issuer.keyFile, '-set_serial', `${this.#serial++}`];
      const how = extensions.length === 0 ? [] : ['-extfile', config, ...section];
      this.must(['x509', '-req', '-in', csr, ...by, '-days', `${days}`, ...sign, ...how, '-out', file]);
    }
    return this.read(name, file, keyFile);
  }

  read(name: string, file: string, keyFile: string): Made {
    const pem = readFileSync(file, 'utf8');
    return { name, pem, der: new Uint8Array(new X509Certificate(pem).raw), file, keyFile };
  }

  /** A revocation list of an authority, valid for a day; -1 makes it outdated. */
  crl(name: string, authority: Made, revoked: readonly Made[], hours = 24): string {
    const entries = revoked.map(({ der }) => {
      const serial = new X509Certificate(der).serialNumber;
      return `R\t301231235959Z\t250101000000Z\t${serial}\tunknown\t/CN=x\n`;
    });
    this.write(`${name}.index`, entries.join(''));
    this.write(`${name}.number`, '01\n');
    const config = this.write(
      `${name}.ca.cnf`,
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${this.directory}/${name}.index\ncrlnumber=${this.directory}/${name}.number\n` +
        'default_md=sha256\ncrl_extensions=c\n[c]\nauthorityKeyIdentifier=keyid\n',
    );
    const out = join(this.directory, `${name}.crl`);
    const by = ['-cert', authority.file, '-keyfile', authority.keyFile];
    this.must(['ca', '-gencrl', '-config', config, ...by, '-crlhours', `${hours}`, '-out', out]);
    return readFileSync(out, 'utf8');
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
