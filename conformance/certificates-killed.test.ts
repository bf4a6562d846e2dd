import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RunningAuthority, startAuthority } from './authority-process.ts';
import type { ShownCertificate } from './wire/certificates.ts';
import { opensslRequest, requireOpenssl } from './wire/certification-request.ts';
import { type Answer, jsonOf, send } from './wire/exchange.ts';
import { type SeededScene, seedScene } from './wire/scene.ts';
import { mayStartServers } from './wire/target.ts';
import { FORM, formBody } from './wire/token-request.ts';

/** When the authority is killed after the requests were sent, in milliseconds: before, in the middle of and after what they do. */
const KILLED_AFTER = [3, 8, 15, 25, 40, 70];
const AT_ONCE = 6;

// kill -9 between the issuance of a certificate and its answer.
describe.runIf(mayStartServers())('an authority that is killed while it issues', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
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
    scene = await seedScene('killed', authority.target);
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const renew = (shown: ShownCertificate, csr: string): Promise<Answer> =>
    send(`${String(authority.ready.mtls_base)}/oauth/certificate`, {
      method: 'POST',
      headers: [['Content-Type', FORM]],
      body: formBody({ client_id: scene.machine.id, csr }),
      ca: authority.target.ca,
      certificate: shown,
    });

  test('leaves nothing half written: each certificate has its event, each answer its certificate, and the machine asks again', async (context) => {
    requireOpenssl(context);
    const path = `/identities/${scene.machine.identityId}/certificates`;
    const first = opensslRequest(context);
    const issued = await scene.admin.must('POST', path, { csr: first.csr });
    const cert = String(issued['chain']);
    const der = new X509Certificate(cert).raw;
    const thumbprint = createHash('sha256').update(der).digest('base64url');
    const shown: ShownCertificate = { cert, key: first.key, der, thumbprint };
    const answered: string[] = [];
    const next = opensslRequest(context);
    for (const after of KILLED_AFTER) {
      const asked = Array.from({ length: AT_ONCE }, () => renew(shown, next.csr).catch(() => undefined));
      await sleep(after);
      await authority.stop('SIGKILL');
      for (const answer of await Promise.all(asked))
        if (answer?.status === 200) answered.push(String(jsonOf(answer)['serial_number']));
      await start();
      const again = await renew(shown, next.csr);
      expect(again.status, again.text).toBe(200);
      answered.push(String(jsonOf(again)['serial_number']));
    }
    const rows = await scene.admin.all(path);
    const events = await scene.admin.all(`${authority.ready.issuer}/audit/events?type=certificate.issued`);
    const ids = rows.map(({ id }) => String(id)).sort();
    expect(events.map(({ resource }) => String(resource)).sort()).toEqual(ids);
    const serials = new Set(rows.map((row) => row['serial_number']));
    expect(answered.filter((each) => !serials.has(each))).toEqual([]);
    expect(answered.length).toBeGreaterThanOrEqual(KILLED_AFTER.length);
  }, 180_000);
});
