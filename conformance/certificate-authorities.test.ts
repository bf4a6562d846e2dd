import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { cleanEnvironment, freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import { certificateAuthority, FOR_AUTHORITIES } from './wire/certificate-authority.ts';
import { askByCertificate } from './wire/certificate-client.ts';
import type { ShownCertificate } from './wire/certificates.ts';
import { opensslRequest, opensslVerify, requireOpenssl } from './wire/certification-request.ts';
import { type Answer, jsonOf, send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';

const COMMAND = fileURLToPath(new URL('../packages/cli/bin/countersign.js', import.meta.url));
const PASSPHRASE = 'an old tin under the stairs';

// The root is taken away from a real authority, the next issuing ones are signed far from it: by the command, and by openssl as the
// authority of an organisation. One story, in order.
describe.runIf(mayStartServers())('authorities of certificates (need the countersign command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-authorities-'));
  const issuedBefore: { scene: SeededScene; shown: ShownCertificate; issued: Record<string, unknown> }[] = [];
  let port: number;
  let secret: string | undefined;
  let authority: RunningAuthority;
  let scene: SeededScene;

  const start = async (): Promise<void> => {
    authority = await startAuthority({ folder, port, adminSecret: secret, args: ['--mtls-port', '0'] });
    secret ??= authority.ready.admin?.client_secret;
  };
  beforeAll(async () => {
    port = await freePort();
    await start();
    scene = await seedScene('issued', authority.target);
    const path = `/resource-servers/${scene.resourceServerId}`;
    expect((await scene.admin.change('PATCH', path, { sender_constraint: 'mtls' })).status).toBe(200);
    writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const published = (path: string): Promise<Answer> =>
    send(`${authority.ready.issuer}${path}`, { ca: authority.target.ca });

  function command(...args: readonly string[]): { code: number | null; out: string; err: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
      cwd: folder,
      env: cleanEnvironment(),
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { code: status, out: stdout, err: stderr };
  }
  const takeOffline = (...more: readonly string[]): ReturnType<typeof command> => {
    const files = ['--key-file', 'root.key', '--root-file', 'root.pem', '--passphrase-file', 'passphrase'];
    return command('certificate-authorities', 'take-offline', '--data-dir', 'data', ...files, ...more);
  };

  /** A certificate for the machine of the scene. */
  async function issue(context: TestContext): Promise<(typeof issuedBefore)[number]> {
    const { csr, key } = opensslRequest(context);
    const path = `/identities/${scene.machine.identityId}/certificates`;
    const issued = await scene.admin.must('POST', path, { csr });
    const cert = String(issued['chain']);
    const der = new X509Certificate(cert).raw;
    const shown = { cert, key, der, thumbprint: createHash('sha256').update(der).digest('base64url') };
    const made = { scene, shown, issued };
    issuedBefore.push(made);
    return made;
  }

  /** All that was issued so far holds: openssl finds the way up and the list, the authority takes it. */
  async function expectAllToHold(context: TestContext): Promise<void> {
    const roots = await published('/ca/roots');
    for (const { issued, shown } of issuedBefore) {
      const crl = await published(`/ca/crl/${String(issued['authority'])}.pem`);
      for (const purpose of ['sslclient', 'sslserver'] as const) {
        const verified = opensslVerify(context, {
          root: roots.text,
          chain: shown.cert,
          leaf: String(issued['certificate']),
          crl: crl.text,
          purpose,
        });
        expect(verified, verified.text).toMatchObject({ ok: true });
      }
      const answer = await askByCertificate(`${String(authority.ready.mtls_base)}/oauth/token`, scene, {
        shown,
      });
      expectToken(answer);
    }
  }

  const authorities = async (): Promise<Record<string, unknown>[]> =>
    await scene.admin.all('/certificate-authorities');
  const certify = (id: unknown, certificate: string) =>
    scene.admin.call('POST', `/certificate-authorities/${String(id)}/certificate`, { body: { certificate } });

  /** What looks like a sealed key, in any file of the authority. */
  function sealed(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const name of readdirSync(join(folder, 'data'), { recursive: true }) as string[]) {
      const path = join(folder, 'data', name);
      if (!statSync(path).isFile()) continue;
      for (const [text] of readFileSync(path, 'latin1').matchAll(/v1\.[\w-]{120,}/g)) found.add(text);
    }
    return found;
  }

  test('the key of the root leaves, encrypted, and nothing of it stays', async (context) => {
    requireOpenssl(context);
    await issue(context);
    await expectAllToHold(context);
    const running = takeOffline('--yes');
    expect(running.code, running.err).not.toBe(0);
    await authority.stop();
    const before = sealed();
    expect(takeOffline('--dry-run')).toMatchObject({
      code: 0,
      out: expect.stringContaining('"key_file": null'),
    });
    // Nobody said yes, and there is no terminal to ask on.
    expect(takeOffline()).toMatchObject({ code: 6 });
    expect([...sealed()].sort()).toEqual([...before].sort());
    const taken = takeOffline('--yes');
    expect(taken.code, taken.err).toBe(0);
    const gone = [...before].filter((each) => !sealed().has(each));
    expect(gone).toHaveLength(1);
    expect(statSync(join(folder, 'root.key')).mode & 0o777).toBe(0o600);
    const openssl = requireOpenssl(context);
    const args = ['pkey', '-in', 'root.key', '-passin', 'file:passphrase', '-pubout'];
    const key = execFileSync(openssl, args, { cwd: folder, encoding: 'utf8' });
    expect(
      new X509Certificate(readFileSync(join(folder, 'root.pem'))).publicKey.export({
        format: 'pem',
        type: 'spki',
      }),
    ).toBe(key);
    expect(`${taken.out}${taken.err}`).not.toContain(PASSPHRASE);
    expect(takeOffline('--yes')).toMatchObject({ code: 5 });
    await start();
    scene = { ...scene, target: authority.target };
    expect(await authorities()).toMatchObject([
      { role: 'root', state: 'active', key_held: false },
      { role: 'issuing', state: 'active', key_held: true },
    ]);
    await issue(context);
    await expectAllToHold(context);
    const path = `${authority.ready.issuer}/audit/events?type=certificate_authority.taken_offline`;
    expect(await scene.admin.all(path)).toHaveLength(1);
  });

  test('who keeps the root signs the next issuing authority with the command, far from any', async (context) => {
    requireOpenssl(context);
    const asked = await scene.admin.must('POST', '/certificate-authorities', {});
    expect(asked).toMatchObject({ state: 'pending', key_held: true, certificate: null });
    writeFileSync(join(folder, 'issuing.csr'), String(asked['request']));
    const root = ['--root', 'root.pem', '--root-key', 'root.key'];
    const files = ['--request', 'issuing.csr', '--cert-file', 'issuing.pem', ...root];
    const wrong = command('certificate-authorities', 'sign', ...files, '--passphrase-file', 'issuing.csr');
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('with that passphrase') });
    const signed = command('certificate-authorities', 'sign', ...files, '--passphrase-file', 'passphrase');
    expect(signed.code, signed.err).toBe(0);
    const answer = await certify(asked['id'], readFileSync(join(folder, 'issuing.pem'), 'utf8'));
    expect(answer.status, answer.text).toBe(200);
    const next = await issue(context);
    expect(next.issued['authority']).toBe(asked['id']);
    await expectAllToHold(context);
    expect((await authorities()).map(({ state }) => state)).toEqual(['active', 'retiring', 'active']);
  });

  test('or with openssl alone', async (context) => {
    const openssl = requireOpenssl(context);
    const asked = await scene.admin.must('POST', '/certificate-authorities', { alg: 'ES384' });
    writeFileSync(join(folder, 'second.csr'), String(asked['request']));
    writeFileSync(join(folder, 'second.cnf'), 'authorityKeyIdentifier=keyid\n');
    const by = ['-CA', 'root.pem', '-CAkey', 'root.key', '-passin', 'file:passphrase', '-CAcreateserial'];
    const how = ['-copy_extensions', 'copy', '-extfile', 'second.cnf', '-days', '365', '-out', 'second.pem'];
    execFileSync(openssl, ['x509', '-req', '-in', 'second.csr', ...by, ...how], {
      cwd: folder,
      stdio: 'pipe',
    });
    const answer = await certify(asked['id'], readFileSync(join(folder, 'second.pem'), 'utf8'));
    expect(answer.status, answer.text).toBe(200);
    await issue(context);
    await expectAllToHold(context);
  });

  test('an organisation certifies it two below its own root; what was issued before goes on', async (context) => {
    const openssl = requireOpenssl(context);
    const top = certificateAuthority(context, '/O=Organisation/CN=Root');
    const middle = top.issue('/O=Organisation/CN=Machines', [
      ...FOR_AUTHORITIES,
      'authorityKeyIdentifier=keyid',
    ]);
    const asked = await scene.admin.must('POST', '/certificate-authorities', {});
    writeFileSync(join(folder, 'org.csr'), String(asked['request']));
    writeFileSync(join(folder, 'org.cnf'), 'authorityKeyIdentifier=keyid\n');
    writeFileSync(join(folder, 'middle.pem'), middle.pem);
    writeFileSync(join(folder, 'middle.key'), middle.key, { mode: 0o600 });
    const by = ['-CA', 'middle.pem', '-CAkey', 'middle.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    const how = ['-extfile', 'org.cnf', '-days', '2', '-out', 'org.pem'];
    execFileSync(openssl, ['x509', '-req', '-in', 'org.csr', ...by, ...how], { cwd: folder, stdio: 'pipe' });
    const own = readFileSync(join(folder, 'org.pem'), 'utf8');
    for (const [given, why] of [
      [own, 'do not end with a root'],
      [own + middle.pem, 'do not end with a root'],
      [own + top.pem, 'followed by that of its issuer'],
      [middle.pem + top.pem, 'not for the key of the request'],
    ] as const) {
      const refused = await certify(asked['id'], given);
      expect(refused.status, refused.text).toBe(400);
      expect(refused.text).toContain(why);
    }
    const body = { certificate: own + middle.pem + top.pem };
    const path = `/certificate-authorities/${String(asked['id'])}/certificate`;
    const dry = await scene.admin.call('POST', `${path}?dry_run=true`, { body });
    expect(jsonOf(dry)).toMatchObject({ dry_run: true });
    expect((await authorities()).find(({ id }) => id === asked['id'])).toMatchObject({ state: 'pending' });
    const answer = await certify(asked['id'], body.certificate);
    expect(answer.status, answer.text).toBe(200);
    const next = await issue(context);
    expect(String(next.issued['chain'])).toBe(String(next.issued['certificate']) + own + middle.pem);
    expect(String(next.issued['root'])).toBe(top.pem);
    expect((await published('/ca/roots')).text).toContain(top.pem);
    await expectAllToHold(context);
    await authority.stop();
    await start();
    await expectAllToHold(context);
  });

  test('a request is given up, and its key with it', async () => {
    const asked = await scene.admin.must('POST', '/certificate-authorities', {});
    const path = `/certificate-authorities/${String(asked['id'])}`;
    expect((await scene.admin.change('DELETE', path)).status).toBe(200);
    expect(await scene.admin.must('GET', path)).toMatchObject({ state: 'retired', key_held: false });
    expect(
      (await certify(asked['id'], '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).status,
    ).toBe(409);
  });
});
