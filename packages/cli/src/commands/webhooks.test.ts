import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Asked, fakeAuthority, json, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const ID = 'whk_0123456789abcdefghij';
const SECRET = `whsec_${'A'.repeat(44)}`;
const WEBHOOK = {
  id: ID,
  name: 'siem',
  url: 'https://siem.example/hooks',
  events: ['credential.*'],
  description: null,
  state: 'enabled',
  disabled_reason: null,
  secrets: [],
  created_at: '2026-11-21T12:00:00.000Z',
  updated_at: '2026-11-21T12:00:00.000Z',
  version: 1,
};
const CREATE = ['webhooks', 'create', '--name', 'siem', '--url', WEBHOOK.url, '--event', 'credential.*'];
const making = () =>
  fakeAuthority({
    'POST /v1/webhooks': () => json({ ...WEBHOOK, secret: SECRET }, { status: 201 }),
    [`POST /v1/webhooks/${ID}/rotate`]: () => json({ ...WEBHOOK, secret: SECRET }),
  });

test('the secret of a new webhook goes to a file and is shown nowhere', async () => {
  const cwd = temporaryFolder();
  const authority = making();
  const { code, out, err } = await runAgainst(authority, [...CREATE, '--secret-file', 'siem.whsec'], { cwd });
  expect(code).toBe(0);
  expect(err).toBe(`Created ${ID}\nIts secret is in ${join(cwd, 'siem.whsec')} (mode 0600).\n`);
  expect(readFileSync(join(cwd, 'siem.whsec'), 'utf8')).toBe(`${SECRET}\n`);
  expect(statSync(join(cwd, 'siem.whsec')).mode & 0o777).toBe(0o600);
  expect(out + err).not.toContain(SECRET);
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({
    name: 'siem',
    url: WEBHOOK.url,
    events: ['credential.*'],
  });
});

test('without a place for the secret none is made, and a refusal leaves no file behind', async () => {
  const authority = making();
  expect((await runAgainst(authority, CREATE)).code).toBe(2);
  expect(authority.asked).toEqual([]);
  const cwd = temporaryFolder();
  const refusing = fakeAuthority({ 'POST /v1/webhooks': () => problem('limit_reached', 409) });
  expect((await runAgainst(refusing, [...CREATE, '--secret-file', 'a'], { cwd })).code).toBe(5);
  expect(existsSync(join(cwd, 'a'))).toBe(false);
});

test('rotating gives the new secret the same way', async () => {
  const cwd = temporaryFolder();
  const authority = making();
  const rotate = ['webhooks', 'rotate', ID, '--overlap', '7d', '--secret-file', 'b.whsec'];
  const { code } = await runAgainst(authority, rotate, { cwd });
  expect([code, readFileSync(join(cwd, 'b.whsec'), 'utf8')]).toEqual([0, `${SECRET}\n`]);
  expect(JSON.parse(authority.asked[0]?.body ?? '')).toEqual({ overlap: '7d' });
});

test('a test ends with 1 when nothing arrived', async () => {
  const answering = (body: object) => fakeAuthority({ [`POST /v1/webhooks/${ID}/test`]: () => json(body) });
  const arrived = { delivered: true, event: 'evt_1', status: 204, error: null };
  const fine = await runAgainst(answering(arrived), ['webhooks', 'test', ID]);
  expect([fine.code, fine.err]).toEqual([0, 'It answered 204.\n']);
  const lost = { delivered: false, event: 'evt_1', status: null, error: 'address_not_allowed' };
  const failed = await runAgainst(answering(lost), ['webhooks', 'test', ID]);
  expect([failed.code, failed.err]).toEqual([1, 'It was not delivered: address_not_allowed\n']);
});

test('what was sent is listed for the one webhook', async () => {
  const delivery = {
    id: 'dlv_0123456789abcdefghij',
    webhook: ID,
    event: 'evt_1',
    type: 'credential.expired',
    state: 'waiting',
    attempts: 2,
    next_attempt: '2026-11-21T12:05:00.000Z',
    last_attempt: '2026-11-21T12:00:00.000Z',
    last_status: 500,
    last_error: 'it answered 500',
    created_at: '2026-11-21T11:00:00.000Z',
    finished_at: null,
  };
  const authority = fakeAuthority({
    [`GET /v1/webhooks/${ID}/deliveries`]: () => json({ items: [delivery], next_cursor: null }),
  });
  const { code, out } = await runAgainst(authority, ['webhooks', 'deliveries', ID, '--state', 'waiting']);
  expect(code).toBe(0);
  expect(out).toContain('credential.expired');
  expect(out).toContain('it answered 500');
  expect(authority.asked[0]?.path).toContain('state=waiting');
});

const YAML = `apiVersion: countersign/v1
kind: Webhook
metadata: { name: siem }
spec:
  url: https://siem.example/hooks
  events: ["credential.*"]
  secretFile: siem.whsec
`;

test('a declared webhook gets its secret into the file that it names; a secret in the YAML is refused', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'a.yaml'), YAML);
  const answering = ({ path }: Asked): object =>
    path.includes('dry_run')
      ? { dry_run: true, changes: [] }
      : { changes: [], secrets: [{ name: 'siem', identity: '', secret: SECRET }] };
  const authority = fakeAuthority({ 'POST /v1/apply': answering });
  const { code, out, err } = await runAgainst(authority, ['apply', '-f', 'a.yaml', '--yes'], { cwd });
  expect([code, err]).toEqual([
    0,
    `The secret of webhook siem is in ${join(cwd, 'siem.whsec')} (mode 0600).\n`,
  ]);
  expect(readFileSync(join(cwd, 'siem.whsec'), 'utf8')).toBe(`${SECRET}\n`);
  expect(out).not.toContain(SECRET);
  writeFileSync(join(cwd, 'a.yaml'), YAML.replace('secretFile: siem.whsec', `secret: ${SECRET}`));
  const refused = await runAgainst(authority, ['plan', '-f', 'a.yaml'], { cwd });
  expect([refused.code, refused.err.includes('a.yaml:7:3 holds a secret')]).toEqual([2, true]);
});

test('without a file for it the secret goes to one that says whose it is, and to no name made of it', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'a.yaml'), YAML.replace('  secretFile: siem.whsec\n', ''));
  writeFileSync(join(cwd, 'webhook-siem.secret'), 'of before');
  const answering = ({ path }: Asked): object =>
    path.includes('dry_run')
      ? { dry_run: true, changes: [] }
      : { changes: [], secrets: [{ name: 'siem', identity: '', secret: SECRET }] };
  const authority = fakeAuthority({ 'POST /v1/apply': answering });
  const { err } = await runAgainst(authority, ['apply', '-f', 'a.yaml', '--yes'], { cwd });
  expect(err).toMatch(/webhook-siem\.[0-9a-f]{8}\.secret \(mode 0600\)/);
  expect(err).not.toContain('A'.repeat(10));
});
