import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealAuthority, startRealAuthority } from '../test/real-authority.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-people-'));
let authority: RealAuthority;
beforeAll(async () => {
  authority = await startRealAuthority(folder, ['--http']);
}, 60_000);
afterAll(async () => {
  await authority.stop();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

test('a file is shown first, and done when somebody says yes', async () => {
  const csv = file('people.csv', `handle,name\nada,Ada\nlin,'=1+1\nkim,"'t Hooft"\nzoe,-2\n`);
  const shown = await authority.run(['people', 'import', csv]);
  expect(shown.code).toBe(6);
  expect(shown.err).toContain('+ Person ada');
  expect(shown.err).toContain('4 new, 0 changed, 0 as they were, 0 left.');
  expect((await authority.run(['people', 'list', '-o', 'name'])).out).toBe('');
  const done = await authority.run(['people', 'import', csv, '--yes', '-o', 'json']);
  expect(done.code, done.err).toBe(0);
  expect(JSON.parse(done.out)).toMatchObject({ created: 4 });
});

test('what is exported is safe in a sheet, and changes nothing when it is imported', async () => {
  const { out } = await authority.run(['people', 'export']);
  const [header, ...lines] = out.split('\r\n');
  expect(header).toBe('handle,name,email,external_id,status,manager');
  const cells = ['ada,Ada', "kim,''t Hooft", "lin,'=1+1", "zoe,'-2"];
  expect(lines.toSorted()).toEqual(['', ...cells.map((each) => `${each},,,active,`)]);
  const again = await authority.run(['people', 'import', file('again.csv', out), '--complete', '--dry-run']);
  expect(again.code, again.err).toBe(0);
  expect(again.err).toContain('0 new, 0 changed, 4 as they were, 0 left.');
});

test('a bad row is named, and nothing is done unless it is told to skip it', async () => {
  const csv = file('bad.csv', 'handle,email\nnew,new@example.com\nworse,nowhere\n');
  const refused = await authority.run(['people', 'import', csv, '--yes']);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain('line 3, column 2 (email): must be an e-mail address');
  const done = await authority.run(['people', 'import', csv, '--skip-bad-rows', '--yes']);
  expect(done.err).toContain('1 new, 0 changed, 0 as they were, 0 left.\nSkipped line 3, column 2 (email)');
  const rows = file('rows.json', '[{"handle":"new","name":"New"}]');
  expect((await authority.run(['people', 'import', rows, '--yes'])).err).toContain('1 changed');
});

test('all that somebody answers for is handed over, and listed', async () => {
  const create = [
    'identities',
    'create',
    '--kind',
    'service',
    '--environment',
    'dev',
    '--purpose',
    'is tested',
  ];
  await authority.run([...create, '--name', 'pay', '--id', 'pay', '--owner', 'ada', '--for', '30d']);
  const dry = await authority.run(['people', 'hand-over', 'ada', '--to', 'lin', '--dry-run']);
  expect(dry.out).toContain('~ Identity pay');
  const done = await authority.run(['people', 'hand-over', 'ada', '--to', 'lin', '--yes']);
  expect(done.code, done.err).toBe(0);
  expect(done.out).toMatch(/WHAT +NAME +OUTCOME\nidentity +pay +taken_over/);
  const shown = await authority.run(['identities', 'get', 'pay', '-o', 'json']);
  expect(JSON.parse(shown.out)).toMatchObject({ owner: { person: 'lin' } });
});
