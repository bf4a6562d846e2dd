import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { accessBody, DAYS, inSeconds } from './wire/admin.ts';
import { askByCertificate } from './wire/certificate-client.ts';
import type { ShownCertificate } from './wire/certificates.ts';
import { deviceKey, forEach, requestOf, shownBy } from './wire/device.ts';
import { type Answer, comparable, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { explained } from './wire/federation.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, type SeededScene, seedScene } from './wire/scene.ts';
import { FORM, formBody } from './wire/token-request.ts';

/** Devices: entered by a manifest, claimed with one-off codes, renewed with what they hold; so many of them in one run. */
export function devicesSuite(size: number, mayStart: boolean): void {
  describe.runIf(mayStart)('devices (needs the countersign command)', () => {
    suite(size);
  });
}

function suite(size: number): void {
  let folder: string;
  let authority: RunningAuthority;
  let base: string;
  let scene: SeededScene;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-devices-'));
    authority = await startAuthority({ folder, args: ['--mtls-port', '0'] });
    base = String(authority.ready.mtls_base);
    scene = await seedScene('fleet', authority.target);
    const path = `/resource-servers/${scene.resourceServerId}`;
    expect((await scene.admin.change('PATCH', path, { sender_constraint: 'mtls' })).status).toBe(200);
  }, 60_000);
  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const post = (url: string, form: Record<string, string>, certificate?: ShownCertificate): Promise<Answer> =>
    send(url, {
      method: 'POST',
      headers: [['Content-Type', FORM]],
      body: formBody(form),
      ca: authority.target.ca,
      certificate,
      timeoutMs: 30_000,
    });
  const claim = (code: string, csr: string): Promise<Answer> =>
    post(`${String(authority.ready.issuer)}/oauth/claim`, { code, csr });
  const renew = (clientId: string, shown: ShownCertificate, csr: string): Promise<Answer> =>
    post(`${base}/oauth/certificate`, { client_id: clientId, csr }, shown);
  const token = (clientId: string, shown: ShownCertificate): Promise<Answer> =>
    askByCertificate(
      `${base}/oauth/token`,
      { ...scene, machine: { ...scene.machine, id: clientId } },
      { shown },
    );

  const defaults = {
    environment: 'test',
    purpose: 'measures',
    owner: { person: 'robin@example.com', team: 'platform' },
    expires_at: inSeconds(300 * DAYS),
  };
  interface Code {
    readonly client_id: string;
    readonly identity: string;
    readonly code: string;
  }
  async function imported(names: readonly string[]): Promise<readonly Code[]> {
    const rows = names.map((client_id) => ({ client_id }));
    const done = await scene.admin.must('POST', '/devices/import', { rows, defaults });
    return done['codes'] as readonly Code[];
  }
  async function oneDevice(): Promise<Code> {
    const [code] = await imported([freshName('sensor')]);
    return code as Code;
  }

  test(`${size} devices are claimed in one run, and ${size} certificates renewed while in use, none dropped`, async () => {
    const started = Date.now();
    const stem = freshName('fleet');
    const names = Array.from({ length: size }, (_, index) => `${stem}-${index}`);
    const codes = await imported(names);
    expect(codes).toHaveLength(size);
    const fleet: { clientId: string; key: KeyObject; shown: ShownCertificate }[] = [];
    await forEach(codes, 16, async ({ client_id: clientId, code }) => {
      const key = deviceKey();
      const answer = await claim(code, requestOf(key));
      expect(answer.status, answer.text).toBe(200);
      fleet.push({ clientId, key, shown: shownBy(String(jsonOf(answer)['certificate']), key) });
    });
    expect(fleet).toHaveLength(size);
    await forEach(codes, 16, async ({ identity }) => {
      await scene.admin.must('POST', '/access', accessBody(identity, scene.resource, ['read']));
    });
    let used = 0;
    await forEach(fleet, 16, async (device) => {
      const key = deviceKey();
      // In use: one request before, one at the same time, one after, each bound to what was shown.
      const before = expectToken(await token(device.clientId, device.shown)).token;
      const [answer, meanwhile] = await Promise.all([
        renew(device.clientId, device.shown, requestOf(key)),
        token(device.clientId, device.shown),
      ]);
      expect(answer.status, answer.text).toBe(200);
      const next = shownBy(String(jsonOf(answer)['certificate']), key);
      const after = expectToken(await token(device.clientId, next)).token;
      for (const [made, shown] of [
        [before, device.shown],
        [expectToken(meanwhile).token, device.shown],
        [after, next],
      ] as const) {
        expect(decodeJwt(made).claims['cnf']).toEqual({ 'x5t#S256': shown.thumbprint });
        used++;
      }
    });
    expect(used).toBe(3 * size);
    const credentials = new Set<unknown>();
    for (const each of await scene.admin.all(`/certificates?limit=200`)) credentials.add(each['credential']);
    expect(credentials.size).toBeGreaterThanOrEqual(size);
    console.log(
      `${size} claimed and ${size} renewed in ${Math.round((Date.now() - started) / 1000)} s, ${3 * size} tokens, none dropped`,
    );
  }, 600_000);

  test('a manifest that comes again changes nothing, and its dry run and its bad rows are told', async () => {
    const names = [freshName('a'), freshName('b')];
    const rows = names.map((client_id) => ({ client_id }));
    const dry = await scene.admin.must('POST', '/devices/import?dry_run=true', { rows, defaults });
    expect(dry).toMatchObject({ dry_run: true, devices: { created: 2, codes: [] } });
    expect(await imported(names)).toHaveLength(2);
    const again = await scene.admin.must('POST', '/devices/import', { rows, defaults });
    expect(again).toMatchObject({ created: 0, unchanged: 2, codes: [] });
    const csv = `client_id,sensitivity\n${names[0]},1\nnot good,1\n${freshName('c')},9\n${names[0]},1\n${scene.machine.id},1\n`;
    const refused = await scene.admin.call('POST', '/devices/import', { body: { csv, defaults } });
    expect(refused.status, refused.text).toBe(400);
    const details = (jsonOf(refused)['errors'] as { detail: string }[]).map(({ detail }) => detail);
    expect(details).toEqual([
      expect.stringMatching(/^line 3, column 1 \(client_id\)/),
      expect.stringMatching(/^line 4, column 2 \(sensitivity\)/),
      expect.stringMatching(/^line 5, column 1 \(client_id\): stands in it twice/),
      expect.stringMatching(/^line 6, column 1 \(client_id\): is or was a service/),
    ]);
    const skipped = await scene.admin.must('POST', '/devices/import', { csv, defaults, skip_bad_rows: true });
    expect(skipped).toMatchObject({ created: 0, unchanged: 1, bad_row_count: 4 });
  });

  test('a code is for one key: the same one may come again, another is refused as whoever guesses', async () => {
    const { code, client_id: clientId } = await oneDevice();
    const [key, other] = [deviceKey(), deviceKey()];
    const first = await claim(code, requestOf(key));
    expect(first.status, first.text).toBe(200);
    const again = await claim(code, requestOf(key));
    expect(jsonOf(again)['certificate']).toBe(jsonOf(first)['certificate']);
    const stolen = await claim(code, requestOf(other));
    expectOAuthError(stolen, 401, 'invalid_client');
    const guessed = await claim(`${code.slice(0, -7)}AAAAAAA`, requestOf(other));
    expectOAuthError(guessed, 401, 'invalid_client');
    expect(comparable(stolen)).toBe(comparable(guessed));
    const told = await explained(scene.admin, String(stolen.headers['request-id']));
    expect(told['why']).toContain('with another key');
    const shown = shownBy(String(jsonOf(first)['certificate']), key);
    expect((await renew(clientId, shown, requestOf(deviceKey()))).status).toBe(200);
  });

  test('of many that come at once with one code, one gets a certificate', async () => {
    const { code } = await oneDevice();
    const answers = await Promise.all(Array.from({ length: 8 }, () => claim(code, requestOf(deviceKey()))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
  });

  test('a request that the key did not sign, and a stopped identity, get nothing; the code stays good', async () => {
    const { code, identity } = await oneDevice();
    const key = deviceKey();
    const unproved = await claim(code, requestOf(key, { signedBy: deviceKey() }));
    expectOAuthError(unproved, 400, 'access_denied');
    expect((await claim(code, requestOf(key))).status).toBe(200);
    const second = await oneDevice();
    await scene.admin.must('POST', `/identities/${second.identity}/suspend`, { reason: 'lost' });
    await scene.admin.must('POST', `/identities/${second.identity}/resume`, { reason: 'found' });
    // What was handed out before a stop does not work after it.
    expectOAuthError(await claim(second.code, requestOf(deviceKey())), 401, 'invalid_client');
    const listed = await scene.admin.all(`/claim-codes?identity=${identity}`);
    expect(listed.map((each) => each['state'])).toEqual(['used']);
    expect(JSON.stringify(listed)).not.toContain(code);
  });

  test('another code takes the place of an open one, and one that is revoked is none', async () => {
    const { code, identity } = await oneDevice();
    const made = await scene.admin.must('POST', `/identities/${identity}/claim-codes`, {});
    expectOAuthError(await claim(code, requestOf(deviceKey())), 401, 'invalid_client');
    expect((await scene.admin.change('DELETE', `/claim-codes/${String(made['id'])}`)).status).toBe(200);
    expectOAuthError(await claim(String(made['code']), requestOf(deviceKey())), 401, 'invalid_client');
    const short = await scene.admin.must('POST', `/identities/${identity}/claim-codes`, {
      expires_at: inSeconds(1),
    });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expectOAuthError(await claim(String(short['code']), requestOf(deviceKey())), 401, 'invalid_client');
  });
}
