import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateSecret, generateWebhookSecret } from '@countersign/protocol';
import { describe, expect, test } from 'vitest';
import { fakeAuthority, runAgainst } from '../../test/fake-authority.ts';
import { fakeHost, temporaryFolder } from '../../test/fake-host.ts';
import type { Host } from '../host.ts';
import { runCommandLine } from '../main.ts';

const NOTHING = fakeAuthority({});
const { secret } = generateSecret('csk', randomBytes);
const github = ['gh', 'p_', 'aB3dE5gH7jK9'.repeat(3)].join('');

function folder(files: Readonly<Record<string, string | Buffer>>): string {
  const cwd = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return cwd;
}

const places = (out: string): string[] => (JSON.parse(out) as { where: string }[]).map(({ where }) => where);

describe('files', () => {
  test('every secret is told with its line, and never shown', async () => {
    const cwd = folder({
      'a.env': `X=1\nSECRET=${secret}\n`,
      'src/b.ts': `const t = '${github}';\n`,
      'c.md': 'csk_…',
    });
    const { code, out, err } = await runAgainst(NOTHING, ['scan'], { cwd });
    expect(code).toBe(6);
    expect(out).toContain('a.env:2');
    expect(out).toContain('Countersign client secret');
    expect(out).toContain('src/b.ts:1');
    expect(err).toBe('2 secrets found; looked at 3 files.\n');
    for (const hidden of [secret, github]) expect(out + err).not.toContain(hidden);
  });

  test('where there is none it ends with 0', async () => {
    const { code, out, err } = await runAgainst(NOTHING, ['scan', '-o', 'json'], {
      cwd: folder({ 'a.txt': 'no' }),
    });
    expect([code, out, err]).toEqual([0, '[]\n', '0 secrets found; looked at 1 file.\n']);
  });

  test('what is no text, no file of its own, or came from elsewhere is left out', async () => {
    const cwd = folder({
      'image.png': Buffer.concat([Buffer.from([0x89, 0, 1]), Buffer.from(secret)]),
      'node_modules/x/index.js': secret,
      '.git/config': secret,
      'kept.txt': 'nothing',
    });
    const elsewhere = folder({ 'secret.txt': secret });
    symlinkSync(elsewhere, join(cwd, 'link'));
    symlinkSync(cwd, join(cwd, 'circle'));
    const { code, err } = await runAgainst(NOTHING, ['scan', '.'], { cwd });
    expect([code, err]).toEqual([
      0,
      '0 secrets found; looked at 1 file (1 that are no text were left out).\n',
    ]);
  });

  test('in a file of one endless line, and at the edges of what is read at once', async () => {
    const texts = [65_500, 65_536, 55_536 + 65_510, 200_000].map(
      (at) => `${'x '.repeat(at / 2)}${secret} tail`,
    );
    const cwd = folder(Object.fromEntries(texts.map((text, at) => [`${at}.txt`, text])));
    const { out } = await runAgainst(NOTHING, ['scan', '-o', 'json'], { cwd });
    expect(places(out)).toEqual(['0.txt:1', '1.txt:1', '2.txt:1', '3.txt:1']);
    const many = folder({ 'long.txt': `${'line\n'.repeat(50_000)}${secret}\n` });
    const line = await runAgainst(NOTHING, ['scan', '-o', 'json'], { cwd: many });
    expect(places(line.out)).toEqual(['long.txt:50001']);
  });

  test('what is too large is told and is no success, and of very many secrets the first are shown', async () => {
    const cwd = folder({ 'kept.txt': 'nothing', 'large.bin': 'x' });
    truncateSync(join(cwd, 'large.bin'), 64 * 1024 * 1024 + 1);
    const { code, err } = await runAgainst(NOTHING, ['scan'], { cwd });
    expect([code, err]).toEqual([
      1,
      'large.bin is larger than 64 MB and was left out.\n0 secrets found; looked at 1 file.\n',
    ]);
    const token = (at: number): string => ['np', 'm_', String(at).padStart(36, 'a')].join('');
    const many = folder({ 'a.txt': Array.from({ length: 10_001 }, (_, at) => token(at)).join('\n') });
    const shown = await runAgainst(NOTHING, ['scan', '-o', 'json'], { cwd: many });
    expect(places(shown.out)).toHaveLength(10_000);
    expect(shown.err).toBe('10001 secrets found; looked at 1 file.\nThe first 10000 are shown.\n');
  });

  test('whoever stops it gets what was found so far', async () => {
    const cwd = folder({ 'a.txt': secret, 'b/c.txt': 'nothing' });
    const host = fakeHost({ cwd });
    const stopping = {
      ...host,
      onStopSignal: (listener: Parameters<Host['onStopSignal']>[0]) => (listener('SIGINT'), () => undefined),
    };
    expect(await runCommandLine(['scan'], stopping)).toBe(130);
    expect(host.err()).toContain('Interrupted: 0 files looked at.');
  });

  test('a path that is not there is a mistake', async () => {
    const { code } = await runAgainst(NOTHING, ['scan', 'nowhere'], { cwd: temporaryFolder() });
    expect(code).toBe(2);
  });

  test('names that a terminal would obey are shown, not obeyed', async () => {
    const cwd = folder({ 'a\u001B[31m.txt': secret });
    const { out } = await runAgainst(NOTHING, ['scan'], { cwd });
    expect(out).not.toContain('\u001B[31m');
  });

  test('as SARIF', async () => {
    const cwd = folder({ 'a b.env': secret });
    const { out } = await runAgainst(NOTHING, ['scan', '-o', 'sarif'], { cwd });
    expect(JSON.parse(out)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'countersign scan', rules: [{ id: 'countersign-client-secret' }] } },
          results: [
            {
              ruleId: 'countersign-client-secret',
              locations: [
                { physicalLocation: { artifactLocation: { uri: 'a%20b.env' }, region: { startLine: 1 } } },
              ],
            },
          ],
        },
      ],
    });
    expect(out).not.toContain(secret);
  });
});

/** A repository in which one commit added a secret. */
function committed(files: Readonly<Record<string, string>>): {
  cwd: string;
  git: (...words: string[]) => string;
} {
  const cwd = folder(files);
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.test', ...words], {
      cwd,
      encoding: 'utf8',
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'x');
  return { cwd, git };
}

describe('a repository that somebody else wrote', () => {
  test('hides nothing by saying that it is binary', async () => {
    const { cwd } = committed({
      '.gitattributes': '*.env -diff\n*.key binary\n',
      'a.env': secret,
      'b.key': github,
    });
    const { out } = await runAgainst(NOTHING, ['scan', '--git', '-o', 'json'], { cwd });
    expect(places(out).map((place) => place.split(' ').at(-1))).toHaveLength(2);
  });

  test('has no program run by leaving out objects that are to be fetched', async () => {
    const { cwd, git } = committed({ 'a.env': secret });
    const object = git('rev-parse', 'HEAD:a.env').trim();
    rmSync(join(cwd, '.git/objects', object.slice(0, 2), object.slice(2)), { force: true });
    const ran = join(cwd, 'ran');
    for (const [name, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'origin'],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.url', 'ssh://elsewhere.test/x'],
      ['protocol.ssh.allow', 'always'],
      ['core.sshCommand', `touch ${ran}; false`],
    ] as const)
      git('config', name, value);
    const { code, err } = await runAgainst(NOTHING, ['scan', '--git'], { cwd });
    expect([code, existsSync(ran)]).toEqual([1, false]);
    expect(err).toContain('git log failed');
  });
});

test('the environment, and with no path nothing else', async () => {
  const cwd = folder({ 'a.txt': github });
  const env = { TOKEN: secret, OTHER: 'x' };
  const { out } = await runAgainst(NOTHING, ['scan', '--env', '-o', 'json'], { cwd, env });
  expect(places(out)).toEqual(['environment TOKEN']);
  const both = await runAgainst(NOTHING, ['scan', '--env', '.', '-o', 'json'], { cwd, env });
  expect(places(both.out)).toEqual(['environment TOKEN', 'a.txt:1']);
});

describe('git history', () => {
  function repository(): { cwd: string; git: (...args: string[]) => void } {
    const cwd = temporaryFolder();
    const git = (...args: string[]): void => {
      const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-c', 'commit.gpgsign=false'];
      execFileSync('git', [...identity, ...args], { cwd, stdio: 'ignore' });
    };
    git('init', '-q', '-b', 'main');
    return { cwd, git };
  }
  const commit = (git: (...args: string[]) => void): void => {
    git('add', '-A');
    git('commit', '-qm', 'commit 0000000000000000000000000000000000000000');
  };

  test('what was removed long ago is found, in the commit that it came with, once', async () => {
    const { cwd, git } = repository();
    writeFileSync(join(cwd, 'config.env'), `A=1\nB=2\nS=${secret}\n`);
    commit(git);
    rmSync(join(cwd, 'config.env'));
    commit(git);
    writeFileSync(join(cwd, 'other.md'), `++ b/config.env\n-- a/x\n@@ -1 +1 @@\ncommit abc\n${github}\n`);
    commit(git);
    git('checkout', '-qb', 'side', 'HEAD~1');
    writeFileSync(join(cwd, 'side.txt'), ['AK', 'IA', 'ABC2DE3FG4ABC2DE'].join(''));
    commit(git);
    git('checkout', '-q', 'main');
    git('merge', '-q', '--no-edit', 'side');
    const { code, out, err } = await runAgainst(NOTHING, ['scan', '--git', '-o', 'json'], { cwd });
    expect(code).toBe(6);
    expect(
      places(out)
        .map((where) => where.slice(13))
        .toSorted(),
    ).toEqual(['config.env:3', 'other.md:5', 'side.txt:1']);
    expect(err).toBe('3 secrets found; looked at 5 commits.\n');
  });

  test('a key over several lines, and a line without an end', async () => {
    const { cwd, git } = repository();
    const key = ['-----BEGIN ', 'PRIVATE KEY-----\n', `${'aB3dE5gH'.repeat(8)}\n`.repeat(3)].join('');
    writeFileSync(join(cwd, 'key.pem'), key);
    writeFileSync(join(cwd, 'min.js'), `${'x'.repeat(3_000_000)}\n${secret}`);
    commit(git);
    const { out } = await runAgainst(NOTHING, ['scan', '--git', '-o', 'json'], { cwd });
    expect(places(out).map((where) => where.slice(13))).toEqual(['key.pem:1', 'min.js:2']);
  });

  test('where there is no repository it says so', async () => {
    const { code, err } = await runAgainst(NOTHING, ['scan', '--git'], { cwd: temporaryFolder() });
    expect(code).toBe(1);
    expect(err).toContain('git log failed');
  });
});

test('those of an authority of this kind are reported, each once, and nothing else leaves', async () => {
  const webhook = generateWebhookSecret(randomBytes);
  const authority = fakeAuthority({ 'POST /v1/leaks': { received: true } });
  const cwd = folder({ 'a.env': `${secret}\n${github}\n`, 'b.env': `${secret} ${webhook}\n` });
  const { code, out, err } = await runAgainst(authority, ['scan', '--report'], { cwd });
  expect(code).toBe(6);
  const asked = authority.asked
    .filter(({ path }) => path === '/v1/leaks')
    .map(({ body }) => JSON.parse(body) as unknown);
  expect(asked).toEqual([
    { secret, where: 'a.env:1', found_by: 'countersign scan' },
    { secret: webhook, where: 'b.env:1', found_by: 'countersign scan' },
  ]);
  for (const hidden of [secret, github, webhook]) expect(out + err).not.toContain(hidden);
});
