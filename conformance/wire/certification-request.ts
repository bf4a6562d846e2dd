import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

/** Where openssl is. Skips the test where it is not there, fails it under COUNTERSIGN_REQUIRE=all. */
export function requireOpenssl(context: TestContext): string {
  const openssl = process.env['COUNTERSIGN_TEST_OPENSSL'];
  if (openssl !== undefined && openssl !== '') return openssl;
  if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('COUNTERSIGN_TEST_OPENSSL is not set');
  return context.skip('OpenSSL: COUNTERSIGN_TEST_OPENSSL is not set');
}

export interface RequestMade {
  /** PEM. */
  readonly csr: string;
  readonly key: string;
}

export interface RequestAsk {
  /** For `-newkey`, such as `ec -pkeyopt ec_paramgen_curve:P-384`. */
  readonly key?: readonly string[];
  readonly subject?: string;
  /** Lines of the section of requested extensions. */
  readonly extensions?: readonly string[];
  readonly more?: readonly string[];
}

export const EC: readonly string[] = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A key and a request for it, as `openssl req` makes them. */
export function opensslRequest(context: TestContext, ask: RequestAsk = {}): RequestMade {
  const openssl = requireOpenssl(context);
  return inFolder((folder) => {
    const config = [
      '[req]',
      'distinguished_name=dn',
      'req_extensions=v3',
      '[dn]',
      '[v3]',
      ...(ask.extensions ?? []),
    ];
    writeFileSync(join(folder, 'req.cnf'), `${config.join('\n')}\n`);
    const newKey = ['-newkey', ...(ask.key ?? EC), '-nodes', '-keyout', 'key.pem'];
    const rest = ['-out', 'req.pem', '-subj', ask.subject ?? '/CN=whatever', '-config', 'req.cnf'];
    execFileSync(openssl, ['req', '-new', ...newKey, ...rest, ...(ask.more ?? [])], {
      cwd: folder,
      stdio: 'pipe',
    });
    return {
      csr: readFileSync(join(folder, 'req.pem'), 'utf8'),
      key: readFileSync(join(folder, 'key.pem'), 'utf8'),
    };
  });
}

/** What `openssl verify` says: its exit code and its words. Certificates and lists are PEM. */
export function opensslVerify(
  context: TestContext,
  asked: {
    readonly root: string;
    readonly chain: string;
    readonly leaf: string;
    readonly crl?: string;
    readonly purpose?: 'sslclient' | 'sslserver';
  },
): { readonly ok: boolean; readonly text: string } {
  const openssl = requireOpenssl(context);
  return inFolder((folder) => {
    const put = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return name;
    };
    const list = asked.crl === undefined ? [] : ['-crl_check', '-CRLfile', put('crl.pem', asked.crl)];
    const args = ['verify', '-x509_strict', '-purpose', asked.purpose ?? 'sslclient', ...list];
    const files = ['-CAfile', put('root.pem', asked.root), '-untrusted', put('chain.pem', asked.chain)];
    try {
      const out = execFileSync(openssl, [...args, ...files, put('leaf.pem', asked.leaf)], {
        cwd: folder,
        stdio: 'pipe',
        timeout: 10_000,
      });
      return { ok: true, text: out.toString() };
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer };
      return { ok: false, text: `${stdout?.toString() ?? ''}${stderr?.toString() ?? ''}` };
    }
  });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-request-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
