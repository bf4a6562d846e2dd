import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeclaredFiles, readDeclaredFiles } from './declared-files.ts';
import { SettingError } from './load.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-declared-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function read(yaml: string): DeclaredFiles {
  writeFileSync(join(directory, 'declared.yaml'), yaml);
  return readDeclaredFiles([join(directory, 'declared.yaml')]);
}
const credential = (more: string): string =>
  `kind: Credential\nmetadata: {name: first}\nspec: {identity: payments, type: client_secret${more}}\n`;

describe('declared objects', () => {
  it('are the documents of all files, in their order, without empty ones', () => {
    writeFileSync(join(directory, 'a.yaml'), '---\nkind: A\n---\n---\nkind: B\n');
    writeFileSync(join(directory, 'b.yaml'), '# nothing\n');
    writeFileSync(join(directory, 'c.yaml'), '{"kind": "C"}');
    const files = ['a', 'b', 'c'].map((name) => join(directory, `${name}.yaml`));
    expect(readDeclaredFiles(files).documents).toEqual([{ kind: 'A' }, { kind: 'B' }, { kind: 'C' }]);
  });

  it.each([
    ['kind: [A', /declared\.yaml/],
    ['kind: A\nkind: B', /declared\.yaml/],
    ['kind: A\n---\nkind: *nobody', /declared\.yaml/],
  ])('are refused when they are no YAML: %j', (yaml, named) => {
    expect(() => read(yaml)).toThrow(SettingError);
    expect(() => read(yaml)).toThrow(named);
  });

  it('are refused when their file is not there', () => {
    expect(() => readDeclaredFiles([join(directory, 'none.yaml')])).toThrow(SettingError);
    expect(() => readDeclaredFiles([join(directory, 'none.yaml')])).toThrow('none.yaml cannot be read');
  });

  it('cannot grow without bound by naming each other', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 8 }, (_, i) => {
        const [from, to] = ['abcdefghi'[i], 'abcdefghi'[i + 1]];
        return `${to}: &${to} [*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from}]`;
      }),
    ].join('\n');
    expect(() => read(bomb)).toThrow(/alias/i);
  });

  it('that are no objects are passed on: who applies them says what is wrong', () => {
    expect(read('just text\n--- \n- 1\n').documents).toEqual(['just text', [1]]);
  });
});

describe('the secret of a declared credential', () => {
  it('is read from its file, beside the document', () => {
    writeFileSync(join(directory, 'first.secret'), 'csk_x\n');
    expect(read(credential(', secretFile: first.secret')).documents).toEqual([
      {
        kind: 'Credential',
        metadata: { name: 'first' },
        spec: { identity: 'payments', type: 'client_secret', secret: 'csk_x' },
      },
    ]);
  });

  it('is written to its file when it was made, for its owner alone, and read from there the next time', () => {
    const declared = read(credential(', secretFile: secrets/first.secret'));
    expect(declared.documents[0]).not.toHaveProperty('spec.secret');
    expect(declared.documents[0]).not.toHaveProperty('spec.secretFile');
    declared.keep({ identity: 'payments', name: 'first', secret: 'csk_made' });
    const file = join(directory, 'secrets/first.secret');
    expect(readFileSync(file, 'utf8')).toBe('csk_made\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'secrets')).mode & 0o777).toBe(0o700);
    expect(read(credential(', secretFile: secrets/first.secret')).documents[0]).toHaveProperty(
      'spec.secret',
      'csk_made',
    );
  });

  it('overwrites no file that came to be meanwhile', () => {
    const declared = read(credential(', secretFile: first.secret'));
    writeFileSync(join(directory, 'first.secret'), 'somebody else');
    expect(() => declared.keep({ identity: 'payments', name: 'first', secret: 'csk_made' })).toThrow(
      'EEXIST',
    );
    expect(readFileSync(join(directory, 'first.secret'), 'utf8')).toBe('somebody else');
  });

  it('goes nowhere when no file was named for it', () => {
    mkdirSync(join(directory, 'empty'));
    const declared = read(credential(''));
    declared.keep({ identity: 'payments', name: 'first', secret: 'csk_made' });
    declared.keep({ identity: 'other', name: 'first', secret: 'csk_made' });
    expect(existsSync(join(directory, 'first.secret'))).toBe(false);
  });

  it('stands in no declaration itself', () => {
    expect(() => read(credential(', secret: csk_x'))).toThrow('has a Credential that holds its secret');
  });
});
