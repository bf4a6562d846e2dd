import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadOptions, loadSettings, parseDuration, SettingError, type Settings } from './load.ts';
import { SETTINGS } from './schema.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-config-'));
  file = join(directory, 'countersign.yaml');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function load(change: Partial<LoadOptions> = {}): Settings {
  return loadSettings({ mode: 'dev', flags: {}, env: {}, ...change });
}
function fault(change: Partial<LoadOptions>): SettingError {
  try {
    load(change);
  } catch (error) {
    if (error instanceof SettingError) return error;
    throw error;
  }
  throw new Error('was taken');
}
function withFile(yaml: string): { config: string } {
  writeFileSync(file, yaml);
  return { config: file };
}

describe('a setting', () => {
  it('that may hold a secret comes from a file, and from one place only', () => {
    writeFileSync(file, 'postgres://authority:secret@db/registry\n');
    const env = { COUNTERSIGN_DATABASE_FILE: file };
    expect(load({ env }).get('database')).toBe('postgres://authority:secret@db/registry');
    const both = fault({ env: { ...env, COUNTERSIGN_DATABASE: 'sqlite:x' } });
    expect(both).toMatchObject({ setting: 'COUNTERSIGN_DATABASE_FILE', fix: 'Give one of the two.' });
    const absent = fault({ env: { COUNTERSIGN_DATABASE_FILE: join(directory, 'none') } });
    expect(absent.message).toMatch(/COUNTERSIGN_DATABASE_FILE names .*none, which is not there\./);
  });

  it('comes from the flag, else the environment, else the file, else the table', () => {
    const flags = withFile('port: 3\ntoken-lifetime: 3m\nlog-level: warn\n');
    const env = { COUNTERSIGN_PORT: '2', COUNTERSIGN_TOKEN_LIFETIME: '2m' };
    const settings = load({ flags: { ...flags, port: '1' }, env });
    expect(settings.get('port')).toBe(1);
    expect(settings.get('token-lifetime')).toBe(120);
    expect(settings.get('log-level')).toBe('warn');
    expect(settings.get('token-lifetime-max')).toBe(3600);
    expect(settings.has('issuer')).toBe(false);
  });

  it('is found in the file that the environment names', () => {
    withFile('port: 3');
    expect(load({ env: { COUNTERSIGN_CONFIG: file } }).get('port')).toBe(3);
  });

  it('that was not given leaves the next one to speak', () => {
    expect(load({ flags: { port: undefined }, env: { COUNTERSIGN_PORT: '2' } }).get('port')).toBe(2);
  });

  it('has a default that keeps its own bounds, and a name that every source can write', () => {
    const settings = load();
    for (const { name, type, default: text, minimum, maximum, doc } of SETTINGS) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(doc).toMatch(/[.)]$/);
      expect(settings.has(name)).toBe(text !== undefined);
      if (type !== 'integer' && type !== 'duration') continue;
      expect(minimum, name).toBeDefined();
      expect(maximum, name).toBeDefined();
    }
    expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  });
});

describe('what is unknown', () => {
  it('is refused as a flag', () => {
    expect(fault({ flags: { prot: '1' } })).toMatchObject({ setting: '--prot', problem: 'is not a setting' });
  });

  it('is refused in the file', () => {
    expect(fault({ flags: withFile('prot: 1\nport: 2') })).toMatchObject({ setting: 'prot' });
  });

  it('is refused in the environment, with the names that might have been meant', () => {
    const error = fault({ env: { COUNTERSIGN_PROT: '1', PATH: '/bin' } });
    expect(error.setting).toBe('COUNTERSIGN_PROT');
    expect(error.known).toContain('COUNTERSIGN_PORT');
    expect(fault({ env: { COUNTERSIGN_PORT_FILE: 'x' } }).setting).toBe('COUNTERSIGN_PORT_FILE');
    expect(fault({ env: { COUNTERSIGN_: '' } }).setting).toBe('COUNTERSIGN_');
  });

  it('is let be where it belongs to clients, tests and the command itself', () => {
    const env = {
      COUNTERSIGN_CLIENT_ID: 'x',
      COUNTERSIGN_CLIENT_SECRET_FILE: 'x',
      COUNTERSIGN_CA_FILE: 'x',
      COUNTERSIGN_REQUIRE: 'all',
      COUNTERSIGN_TEST_POSTGRES: 'x',
      OTHER_PROT: 'x',
    };
    expect(load({ env }).get('port')).toBe(8443);
  });

  it('is refused also when it is a name of JavaScript', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(fault({ flags: { [name]: '1' } }).setting).toBe(`--${name}`);
      expect(fault({ flags: withFile(`${name}: 1`) }).setting).toBe(name);
    }
  });
});

describe('the file', () => {
  it.each([
    ['is no YAML', 'port: [1', 'is no YAML'],
    ['says a thing twice', 'port: 1\nport: 2', 'is no YAML'],
    ['is a list', '- port', 'is not a mapping'],
    ['is a word', 'port', 'is not a mapping'],
    ['is two documents', 'port: 1\n---\nport: 2', 'is no YAML'],
  ])('that %s is refused by its name', (_, text, problem) => {
    writeFileSync(file, text);
    const error = fault({ flags: { config: file } });
    expect(error.setting).toBe('config');
    expect(error.problem).toContain(file);
    expect(error.problem).toContain(problem);
  });

  it('that is not there or is a folder is told with its name', () => {
    expect(() => load({ flags: { config: file } })).toThrow(`config names ${file}, which is not there.`);
    expect(() => load({ flags: { config: directory } })).toThrow(
      `config names ${directory}, which is a folder.`,
    );
  });

  it('may be empty, or hold nothing but a comment', () => {
    expect(load({ flags: withFile('') }).get('port')).toBe(8443);
    expect(load({ flags: withFile('# nothing\n') }).get('port')).toBe(8443);
  });

  it('has values of the kinds that YAML has', () => {
    const settings = load({
      flags: withFile(
        'port: 0\nhttp: true\ntrusted-proxy: [10.0.0.1, 10.0.0.2]\napply: one.yaml\ndata-dir: x\n',
      ),
    });
    expect(settings.get('port')).toBe(0);
    expect(settings.get('http')).toBe(true);
    expect(settings.get('trusted-proxy')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(settings.get('apply')).toEqual(['one.yaml']);
  });
});

describe('a number', () => {
  it.each(['-1', '65536', '1.5', '0x10', '1e3', ' 1', '', 'http', '９'])('that is %j is no port', (port) => {
    expect(fault({ flags: { port } }).setting).toBe('port');
  });
  it('is taken up to its bounds', () => {
    expect(load({ flags: { port: '0' } }).get('port')).toBe(0);
    expect(load({ flags: { port: '65535' } }).get('port')).toBe(65_535);
    expect(fault({ flags: { port: '65536' } }).problem).toBe('is out of bounds: it goes from 0 to 65535');
  });
});

describe('a duration', () => {
  it.each([
    ['90s', 90],
    ['10m', 600],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['0s', 0],
  ])('%s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', '10', 's', '-1s', '1.5m', '1 m', '10M', '1w', '1h30m', '1e3s', '9999999999s'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
      expect(fault({ flags: { 'token-lifetime': text } }).setting).toBe('token-lifetime');
    },
  );

  it('is held within its bounds, which the refusal states', () => {
    expect(load({ flags: { 'token-lifetime': '10s' } }).get('token-lifetime')).toBe(10);
    for (const text of ['9s', '25h']) {
      const error = fault({ flags: { 'token-lifetime': text } });
      expect(error.message).toBe(
        'token-lifetime is out of bounds: it goes from 10 to 86400 seconds (written 90s, 10m, 12h or 30d).',
      );
    }
    expect(fault({ flags: withFile('token-lifetime: 600') }).setting).toBe('token-lifetime');
  });
});

describe('a choice, a list, a yes or no', () => {
  it('has only the values there are', () => {
    expect(fault({ flags: { 'log-level': 'loud' } }).problem).toContain('loud is not one of debug, info');
    expect(load({ flags: { 'log-level': 'silent' } }).get('log-level')).toBe('silent');
  });

  it('is parted by commas where it comes as one text', () => {
    expect(load({ env: { COUNTERSIGN_TRUSTED_PROXY: '10.0.0.1, 10.0.0.0/8' } }).get('trusted-proxy')).toEqual(
      ['10.0.0.1', '10.0.0.0/8'],
    );
    expect(load({ flags: { apply: ['a,b.yaml', 'c'] } }).get('apply')).toEqual(['a,b.yaml', 'c']);
    for (const value of ['', 'a,', ',']) {
      expect(fault({ env: { COUNTERSIGN_TRUSTED_PROXY: value } }).problem).toBe('has an empty entry');
    }
    expect(fault({ flags: withFile('apply: [1]') }).setting).toBe('apply');
  });

  it('is true or false in the words for it', () => {
    for (const value of [true, 'true', '1']) expect(load({ flags: { http: value } }).get('http')).toBe(true);
    for (const value of [false, 'false', '0'])
      expect(load({ flags: { http: value } }).get('http')).toBe(false);
    for (const value of ['yes', 'on', '']) expect(fault({ flags: { http: value } }).setting).toBe('http');
  });
});

describe('what is for one command only', () => {
  it('is refused by the other, unless it is switched off', () => {
    const mode = 'serve';
    expect(fault({ mode, flags: { http: true } }).message).toBe(
      'http is for countersign dev only. Leave it out.',
    );
    expect(fault({ mode, env: { COUNTERSIGN_HTTP: 'true' } }).setting).toBe('http');
    expect(load({ mode, flags: { http: false } }).get('http')).toBe(false);
    expect(load({ mode, env: { COUNTERSIGN_HTTP: 'false' } }).get('http')).toBe(false);
    expect(load({ mode, flags: withFile('http: false') }).get('http')).toBe(false);
  });
});
