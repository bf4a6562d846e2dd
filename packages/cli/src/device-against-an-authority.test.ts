// A device and its certificate from end to end, by an authority that sees no certificates: what it is told has to lead somewhere.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

describe('a device', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-device-'));
  let authority: RealAuthority;

  beforeAll(async () => {
    authority = await startRealAuthority(folder);
    const what = ['--kind', 'device', '--environment', 'test', '--purpose', 'a test', '--for', '30d'];
    const whose = ['--name', 'sensor-1', '--id', 'sensor-1', '--owner', 'ada'];
    for (const args of [
      ['identities', 'create', ...whose, ...what],
      ['devices', 'code', 'sensor-1', '--secret-file', 'sensor-1.code'],
    ]) {
      const { code, err } = await authority.run(args);
      expect(code, err).toBe(0);
    }
  }, 60_000);

  afterAll(async () => {
    await authority?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const claim = (name: string, ...more: string[]): ReturnType<RealAuthority['run']> => {
    const files = ['--key-file', `${name}.key`, '--cert-file', `${name}.pem`];
    return authority.run(['devices', 'claim', '--code-file', 'sensor-1.code', ...files, ...more]);
  };

  test('claims its identity, and people are told of it in lines, programs in JSON', async () => {
    const first = await claim('device');
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/^client_id +sensor-1\nspiffe_id +spiffe:\/\/localhost\/device\/sensor-1\n/);
    rmSync(join(folder, 'device.pem'));
    const again = await claim('device', '-o', 'json');
    expect(again.code, again.err).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ client_id: 'sensor-1' });
    expect(again.out + again.err).not.toContain(
      readFileSync(join(folder, 'device.key'), 'utf8').slice(30, 60),
    );
  }, 30_000);

  test('with a code that another key has used hears of codes, not of client secrets', async () => {
    const { code, err } = await claim('thief');
    expect(code).toBe(4);
    expect(err).toContain('error: The authority does not take this claim code: invalid_client');
    expect(err).toContain('countersign devices code IDENTITY');
    expect(err).toMatch(/countersign explain req_/);
    expect(err).not.toContain('secret');
  }, 30_000);

  test('that renews where nobody looks at certificates is told which setting that is', async () => {
    const files = ['--key-file', 'device.key', '--cert-file', 'device.pem'];
    const { code, err } = await authority.run(['certificates', 'renew', ...files]);
    expect(code).toBe(4);
    expect(err).toContain('error: The authority does not renew this certificate: invalid_client');
    expect(err).toContain('mtls-port');
    expect(err).not.toContain('secret');
  }, 30_000);
});
