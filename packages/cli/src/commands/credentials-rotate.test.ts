import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeAuthority, json, problem, runAgainst } from '../../test/fake-authority.ts';
import { temporaryFolder } from '../../test/fake-host.ts';

const ID = 'crd_0123456789abcdefghij';
const SECRET = 'csk_AAAAAAAA_secretsecret';
const rotating = (
  type: string,
  answer: () => Response = () => json({ id: 'crd_new', type, secret: SECRET }),
) =>
  fakeAuthority({
    [`GET /v1/credentials/${ID}`]: () => json({ id: ID, type }),
    [`POST /v1/credentials/${ID}/rotate`]: answer,
  });
const ROTATE = ['credentials', 'rotate', ID];

test('the new secret goes to a file, and it is said where to look who has not moved', async () => {
  const cwd = temporaryFolder();
  const authority = rotating('client_secret');
  const args = [...ROTATE, '--overlap', '7d', '--secret-file', 'b.secret', '-o', 'json'];
  const { code, out, err } = await runAgainst(authority, args, { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ id: 'crd_new', type: 'client_secret' });
  expect(readFileSync(join(cwd, 'b.secret'), 'utf8')).toBe(`${SECRET}\n`);
  expect(err).toContain(`countersign credentials rotation ${ID}`);
  expect(JSON.parse(authority.asked.at(-1)?.body ?? '')).toEqual({ overlap: '7d' });
});

test('without a place for the secret nothing is made, and a refusal leaves no file', async () => {
  const cwd = temporaryFolder();
  const authority = rotating('client_secret', () => problem('illegal_transition', 409));
  expect((await runAgainst(authority, ROTATE, { cwd })).code).toBe(2);
  expect(authority.asked.every(({ method }) => method === 'GET')).toBe(true);
  expect((await runAgainst(authority, [...ROTATE, '--secret-file', 'b.secret'], { cwd })).code).toBe(5);
  expect(existsSync(join(cwd, 'b.secret'))).toBe(false);
});

test('of a key the public half is read from its file', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'key.jwk'), '{"kty":"EC"}');
  const authority = rotating('private_key_jwt', () => json({ id: 'crd_new', type: 'private_key_jwt' }));
  expect((await runAgainst(authority, [...ROTATE, '--jwk-file', 'key.jwk'], { cwd })).code).toBe(0);
  expect(JSON.parse(authority.asked.at(-1)?.body ?? '')).toEqual({ jwk: { kty: 'EC' } });
});

test('a rotation is shown with those who have not moved', async () => {
  const rotation = {
    credential: ID,
    identity: 'idn_1',
    client_id: 'payments',
    successor: 'crd_new',
    rotated_by: 'administration',
    rotated_at: '2026-11-21T12:00:00.000Z',
    state: 'moving',
    ends_at: '2026-12-21T12:00:00.000Z',
    window_seconds: 172_800,
    seen_enough_at: null,
    quiet_at: '2026-11-21T13:22:00.000Z',
    successor_used: true,
    moved: 1,
    waiting: 1,
    instances: [
      {
        instance: 'pod-7',
        state: 'waiting',
        source: '10.0.0.7',
        first_seen: '2026-11-20T12:00:00.000Z',
        last_seen_with_old: '2026-11-21T12:10:00.000Z',
        last_seen_with_new: null,
      },
    ],
  };
  const authority = fakeAuthority({ [`GET /v1/credentials/${ID}/rotation`]: () => json(rotation) });
  const { code, out } = await runAgainst(authority, ['credentials', 'rotation', ID]);
  expect(code).toBe(0);
  expect(out).toContain('1 of 2 seen with the old one');
  expect(out).toMatch(/pod-7 +waiting +10\.0\.0\.7/);
});
