import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateSecret, parseSecret } from '@countersign/protocol';
import { pooledRandom } from '../ids.ts';
import { createSecretFile } from '../keys/secret-file.ts';
import { type DeclaredFilesDeps, readDeclaredFiles } from './declared-files.ts';
import { SettingError } from './load.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-declared-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const deps: DeclaredFilesDeps = { hasSecret: async () => false, createSecretFile, random: pooledRandom() };
const { secret: SECRET } = generateSecret('csk', pooledRandom());

function read(yaml: string, change: Partial<DeclaredFilesDeps> = {}): Promise<readonly unknown[]> {
  writeFileSync(join(directory, 'declared.yaml'), yaml);
  return readDeclaredFiles([join(directory, 'declared.yaml')], { ...deps, ...change });
}
const credential = (more: string): string =>
  `kind: Credential\nmetadata: {name: first}\nspec: {identity: payments, type: client_secret${more}}\n`;

describe('declared objects', () => {
  it('are the documents of all files, in their order, without empty ones', async () => {
    writeFileSync(join(directory, 'a.yaml'), '---\nkind: A\n---\n---\nkind: B\n');
    writeFileSync(join(directory, 'b.yaml'), '# nothing\n');
    writeFileSync(join(directory, 'c.yaml'), '{"kind": "C"}');
    const files = ['a', 'b', 'c'].map((name) => join(directory, `${name}.yaml`));
    expect(await readDeclaredFiles(files, deps)).toEqual([{ kind: 'A' }, { kind: 'B' }, { kind: 'C' }]);
  });

  it.each([
    ['kind: [A', /declared\.yaml:1:\d+, which is not YAML: /],
    ['kind: A\nkind: B', /declared\.yaml:2:1, which is not YAML: /],
    ['kind: A\n---\nkind: *nobody', /declared\.yaml/],
  ])('are refused when they are no YAML: %j', async (yaml, named) => {
    await expect(read(yaml)).rejects.toThrow(SettingError);
    await expect(read(yaml)).rejects.toThrow(named);
  });

  it('that are not there are told with the setting that names them', async () => {
    const path = join(directory, 'none.yaml');
    await expect(readDeclaredFiles([path], deps)).rejects.toThrow(`apply names ${path}, which is not there.`);
  });

  it('cannot grow without bound by naming each other', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 8 }, (_, i) => {
        const [from, to] = ['abcdefghi'[i], 'abcdefghi'[i + 1]];
        return `${to}: &${to} [*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from}]`;
      }),
    ].join('\n');
    await expect(read(bomb)).rejects.toThrow(/alias/i);
  });

  it('that are no objects are passed on: who applies them says what is wrong', async () => {
    expect(await read('just text\n--- \n- 1\n')).toEqual(['just text', [1]]);
  });
});

describe('the secret of a declared credential', () => {
  it('is read from its file, beside the document', async () => {
    writeFileSync(join(directory, 'first.secret'), `${SECRET}\n`);
    const exists = { hasSecret: async () => true };
    expect(await read(credential(', secretFile: first.secret'), exists)).toEqual([
      {
        kind: 'Credential',
        metadata: { name: 'first' },
        spec: { identity: 'payments', type: 'client_secret', secret: SECRET },
      },
    ]);
  });

  it('is in its file, for its owner alone, before anybody is told of it, and read from there the next time', async () => {
    const [document] = (await read(credential(', secretFile: secrets/first.secret'))) as {
      spec: { secret: string };
    }[];
    const file = join(directory, 'secrets/first.secret');
    const made = document?.spec.secret ?? '';
    expect(parseSecret(made)?.kind).toBe('csk');
    expect(readFileSync(file, 'utf8')).toBe(`${made}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'secrets')).mode & 0o777).toBe(0o700);
    expect(document).not.toHaveProperty('spec.secretFile');
    expect(await read(credential(', secretFile: secrets/first.secret'))).toEqual([document]);
  });

  it('overwrites no file that came to be meanwhile', async () => {
    const file = join(directory, 'first.secret');
    const meanwhile = async (path: string, text: string): Promise<void> => {
      writeFileSync(file, 'somebody else');
      await createSecretFile(path, text);
    };
    const reading = read(credential(', secretFile: first.secret'), { createSecretFile: meanwhile });
    await expect(reading).rejects.toThrow(/first\.secret.*EEXIST/);
    expect(readFileSync(file, 'utf8')).toBe('somebody else');
  });

  it('is refused when it exists and its file does not, before any file is made', async () => {
    const two =
      credential(', secretFile: first.secret') +
      '---\n' +
      credential(', secretFile: second.secret').replace('first', 'second');
    const hasSecret = async (identity: string, name: string): Promise<boolean> =>
      identity === 'payments' && name === 'second';
    const reading = read(two, { hasSecret });
    await expect(reading).rejects.toThrow(SettingError);
    await expect(reading).rejects.toThrow(/second\.secret for the credential second of payments/);
    expect(existsSync(join(directory, 'first.secret'))).toBe(false);
  });

  it('is refused when its file holds something else, or is no file, or is not named', async () => {
    writeFileSync(join(directory, 'first.secret'), '');
    await expect(read(credential(', secretFile: first.secret'))).rejects.toThrow(/does not hold a client/);
    await expect(read(credential(', secretFile: .'))).rejects.toThrow(
      /^apply names .+, which is a folder\.$/,
    );
    await expect(read(credential(', secretFile: 7'))).rejects.toThrow(/not the name of a file/);
  });

  it('is left to who applies them when no file is named for it', async () => {
    const [document] = await read(credential(''));
    expect(document).not.toHaveProperty('spec.secret');
  });

  it('stands in no declaration itself', async () => {
    const reading = read(credential(', secret: csk_x'));
    await expect(reading).rejects.toThrow('has a Credential that holds its secret');
  });
});

describe('the secret of a webhook', () => {
  const webhook = 'kind: Webhook\nmetadata: {name: siem}\nspec: {url: x, secretFile: a.whsec}\n';

  it('is made like that of a credential, and read again', async () => {
    const made = await read(webhook);
    const text = readFileSync(join(directory, 'a.whsec'), 'utf8');
    expect(text).toMatch(/^whsec_[0-9A-Za-z]{44}\n$/);
    expect(statSync(join(directory, 'a.whsec')).mode & 0o777).toBe(0o600);
    expect(made).toEqual([
      { kind: 'Webhook', metadata: { name: 'siem' }, spec: { url: 'x', secret: text.trim() } },
    ]);
    expect(await read(webhook, { hasSecret: async () => true })).toEqual(made);
  });

  it('is no other secret, does not stand in the YAML, and takes no other’s place', async () => {
    writeFileSync(join(directory, 'a.whsec'), SECRET);
    await expect(read(webhook)).rejects.toThrow('the secret of a webhook (whsec_…)');
    await expect(read(webhook.replace('secretFile: a.whsec', 'secret: x'))).rejects.toThrow(
      'Webhook that holds',
    );
    rmSync(join(directory, 'a.whsec'));
    const known: string[] = [];
    const hasSecret = async (identity: string, name: string): Promise<boolean> => (
      known.push(`${identity}/${name}`), true
    );
    await expect(read(webhook, { hasSecret })).rejects.toThrow('the webhook siem, which exists');
    expect(known).toEqual(['/siem']);
  });
});
