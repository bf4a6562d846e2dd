import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Deployment, toDeployment } from './deployment.ts';
import { type FlagValue, loadSettings, SettingError } from './load.ts';

type Flags = Readonly<Record<string, FlagValue>>;
const deploy = (mode: 'dev' | 'serve', flags: Flags = {}): Deployment =>
  toDeployment(mode, loadSettings({ mode, flags, env: {} }));

function refusal(mode: 'dev' | 'serve', flags: Flags): SettingError {
  try {
    deploy(mode, flags);
  } catch (error) {
    if (error instanceof SettingError) return error;
    throw error;
  }
  throw new Error('was taken');
}

/** What `serve` needs at least. */
const SAFE: Flags = {
  issuer: 'https://id.example.com',
  'tls-cert': 'cert.pem',
  'tls-key': 'key.pem',
  'master-key-file': 'master.key',
};

describe('dev', () => {
  it('needs nothing', () => {
    expect(deploy('dev')).toMatchObject({
      mode: 'dev',
      host: '127.0.0.1',
      port: 8443,
      mtlsPort: undefined,
      issuer: undefined,
      dataDir: resolve('.countersign'),
      database: { kind: 'sqlite', path: resolve('.countersign/registry.db') },
      tls: { kind: 'generated' },
      masterKeyFile: resolve('.countersign/master.key'),
      readyFile: resolve('.countersign/ready.json'),
      tokenLifetime: 600,
      tokenLifetimeMax: 3600,
      logLevel: 'info',
    });
  });

  it('believes a header about certificates from a declared proxy alone', () => {
    expect(deploy('dev').certificateHeader).toBeUndefined();
    expect(deploy('dev', { 'client-cert-header': 'none' }).certificateHeader).toBeUndefined();
    const from = { 'client-cert-header': 'nginx', 'trusted-proxy': ['10.0.0.1'] };
    expect(deploy('dev', from).certificateHeader).toBe('nginx');
    expect(() => deploy('dev', { 'client-cert-header': 'nginx' })).toThrow(
      /client-cert-header.*trusted-proxy/s,
    );
    expect(() => deploy('dev', { ...from, 'client-cert-header': 'apache' })).toThrow(/client-cert-header/);
  });

  it('names an address for certificates where they are seen', () => {
    const url = 'https://mtls.example.com/id';
    const seen = { 'mtls-port': '0', 'mtls-url': url };
    expect(deploy('dev', seen).mtlsUrl).toBe(url);
    const behind = { 'client-cert-header': 'envoy', 'trusted-proxy': ['10.0.0.1'], 'mtls-url': url };
    expect(deploy('dev', behind).mtlsUrl).toBe(url);
    expect(() => deploy('dev', { 'mtls-url': url })).toThrow(/mtls-url.*mtls-port/s);
    for (const wrong of ['http://mtls.example.com', `${url}/`, `${url}?a`, 'https://a:b@mtls.example.com'])
      expect(() => deploy('dev', { ...seen, 'mtls-url': wrong }), wrong).toThrow(/mtls-url/);
  });

  it('listens in the clear where it is asked to', () => {
    expect(deploy('dev', { http: true }).tls).toEqual({ kind: 'none' });
  });

  it('listens on loopback and nowhere else', () => {
    for (const host of ['localhost', '::1', '127.0.0.1', '127.8.9.1'])
      expect(deploy('dev', { host }).host).toBe(host);
    for (const host of [
      '0.0.0.0',
      '::',
      '192.0.2.1',
      'example.com',
      '127.0.0.1.example.com',
      '127.1',
      'localhost.example.com',
    ]) {
      expect(refusal('dev', { host })).toMatchObject({ setting: 'host', problem: `${host} is not loopback` });
    }
  });

  it('may have an issuer of its own, also in the clear on loopback', () => {
    for (const issuer of [
      'https://id.example.com',
      'http://localhost:8080',
      'http://127.0.0.1:1',
      'http://[::1]:1',
    ])
      expect(deploy('dev', { issuer }).issuer).toBe(issuer);
    expect(refusal('dev', { issuer: 'http://id.example.com' }).problem).toBe('is not https');
  });
});

describe('serve', () => {
  it('runs with what it needs', () => {
    expect(deploy('serve', SAFE)).toMatchObject({
      mode: 'serve',
      issuer: 'https://id.example.com',
      tls: { kind: 'files', certificate: 'cert.pem', key: 'key.pem' },
      masterKeyFile: resolve('master.key'),
      readyFile: undefined,
    });
    const { 'tls-cert': _, 'tls-key': __, ...behind } = SAFE;
    expect(deploy('serve', { ...behind, 'trusted-proxy': ['10.0.0.1'] })).toMatchObject({
      tls: { kind: 'none' },
      trustedProxies: ['10.0.0.1'],
    });
  });

  it.each<[string, Flags, string, RegExp]>([
    ['no issuer', { issuer: undefined }, 'issuer', /public https URL/],
    ['an issuer in the clear', { issuer: 'http://id.example.com' }, 'issuer', /https URL/],
    ['one in the clear on loopback', { issuer: 'http://localhost' }, 'issuer', /https URL/],
    ['no URL for issuer', { issuer: 'id.example.com' }, 'issuer', /RFC 8414/],
    [
      'neither certificate nor proxy',
      { 'tls-cert': undefined, 'tls-key': undefined },
      'tls-cert',
      /trusted-proxy/,
    ],
    ['a certificate without key', { 'tls-key': undefined }, 'tls-cert', /both or neither/],
    ['a key without certificate', { 'tls-cert': undefined }, 'tls-cert', /both or neither/],
    ['no master key', { 'master-key-file': undefined }, 'master-key-file', /openssl rand -hex 32/],
    ['another database', { database: 'mysql://x' }, 'database', /one of these forms/],
  ])('refuses %s, by the name of the setting and with what to do', (_, change, setting, fix) => {
    const error = refusal('serve', { ...SAFE, ...change });
    expect(error.setting).toBe(setting);
    expect(error.fix).toMatch(fix);
    expect(error.message).toBe(`${setting} ${error.problem}. ${error.fix}`);
  });
});

describe('an issuer', () => {
  it.each([
    'https://id.example.com/',
    'https://id.example.com?a=b',
    'https://id.example.com?',
    'https://id.example.com#a',
    'https://id.example.com#',
    'https://ada@id.example.com',
    'https://:pw@id.example.com',
    'https://ID.example.com',
    'https://id.example.com:443',
    'https://id.example.com/a/../b',
    'https://id.example.com/a?',
    'https://:pw@id.example.com/a',
    ' https://id.example.com',
    'ftp://id.example.com',
    'https://',
  ])('is not %j: others compare it character by character', (issuer) => {
    expect(refusal('serve', { ...SAFE, issuer }).setting).toBe('issuer');
  });

  it.each(['https://id.example.com', 'https://id.example.com:8443', 'https://xn--bcher-kva.example'])(
    'may be %s',
    (issuer) => expect(deploy('serve', { ...SAFE, issuer }).issuer).toBe(issuer),
  );
});

describe('the database', () => {
  it('is a file in the data directory, a file elsewhere, or PostgreSQL', () => {
    const of = (database: string): unknown => deploy('dev', { database, 'data-dir': '/d' }).database;
    expect(deploy('dev', { 'data-dir': '/d' }).database).toEqual({
      kind: 'sqlite',
      path: join('/d', 'registry.db'),
    });
    expect(of('sqlite:/x/y.db')).toEqual({ kind: 'sqlite', path: '/x/y.db' });
    expect(of('sqlite:y.db')).toEqual({ kind: 'sqlite', path: resolve('y.db') });
    expect(of('postgres://u@h/d')).toEqual({ kind: 'postgres', url: 'postgres://u@h/d' });
    expect(of('postgresql://u@h/d')).toEqual({ kind: 'postgres', url: 'postgresql://u@h/d' });
    for (const database of ['sqlite:', 'registry.db', 'mysql://x']) {
      const error = refusal('dev', { database });
      expect(error.setting).toBe('database');
      expect(error.message).not.toContain('mysql://x');
    }
  });
});

describe('times that have to fit each other', () => {
  it.each<[string, Flags, string]>([
    ['a token that lives longer than any may', { 'token-lifetime': '2h' }, 'token-lifetime'],
    [
      'a key that signs before every cache has seen it',
      { 'key-lead': '10m', 'jwks-max-age': '10m' },
      'key-lead',
    ],
    [
      'a key that signs shorter than the next one waits',
      { 'key-period': '1d', 'key-lead': '1d' },
      'key-period',
    ],
  ])('are refused: %s', (_, change, setting) => {
    const error = refusal('dev', change);
    expect(error.setting).toBe(setting);
    expect(error.fix).toBeTruthy();
  });

  it('may be as close as they can', () => {
    expect(deploy('dev', { 'token-lifetime': '1h' }).tokenLifetime).toBe(3600);
    expect(deploy('dev', { 'key-lead': '11m', 'jwks-max-age': '10m' }).keyLead).toBe(660);
  });
});
