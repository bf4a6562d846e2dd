import { expect, test } from 'vitest';
import { fakeHost, type FakeHost } from '../../test/fake-host.ts';
import type { CliContext } from '../context.ts';
import { type AuthorityMain, runAuthority } from './run-authority.ts';

const READY = {
  pid: 7,
  version: '0.1.0',
  issuer: 'https://localhost:8443',
  ca_file: '/nowhere/.countersign/ca.pem',
  admin: { client_id: 'admin', client_secret: 'csk_never_printed', api: 'https://localhost:8443/v1' },
};

interface Started {
  readonly host: FakeHost;
  readonly ended: Promise<void>;
  readonly given: { flags?: unknown; mode?: string };
  stops: number;
}

function start(flags: object, now = () => 0, stopping = Promise.resolve()): Started {
  const fake = fakeHost();
  const host: FakeHost = { ...fake, now };
  const started: Started = { host, given: {}, stops: 0, ended: Promise.resolve() };
  const main: AuthorityMain = {
    startAuthority(options) {
      Object.assign(started.given, options);
      return Promise.resolve({
        ready: READY,
        readyFile: options.flags['ready-file'] as string | undefined,
        stop() {
          started.stops++;
          return stopping;
        },
      });
    },
  };
  const context: CliContext = {
    process: host,
    host,
    setExitCode: () => undefined,
    propose: () => Promise.resolve([]),
  };
  return Object.assign(started, { ended: runAuthority(context, 'dev', flags, () => Promise.resolve(main)) });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('flags reach the settings under their names, what was not given does not', async () => {
  const { host, given, ended } = start({
    port: '0',
    dataDir: 'd',
    trustedProxy: ['10.0.0.0/8'],
    http: undefined,
    set: [['token-lifetime', '5m']],
  });
  await settled();
  host.signal('SIGTERM');
  await ended;
  expect(given).toMatchObject({
    mode: 'dev',
    flags: { port: '0', 'data-dir': 'd', 'trusted-proxy': ['10.0.0.0/8'], 'token-lifetime': '5m' },
  });
  expect(Object.keys(given.flags as object)).not.toContain('http');
});

test('it says on stderr what is running and how to begin, without the secret', async () => {
  const { host, ended } = start({ readyFile: '.countersign/ready.json' });
  await settled();
  expect(host.out()).toBe('');
  expect(host.err()).toBe(`countersign 0.1.0 is running (dev, pid 7)
  issuer      https://localhost:8443
  admin API   https://localhost:8443/v1
  CA file     .countersign/ca.pem
  ready file  .countersign/ready.json
  admin       admin

A token of the admin, to see that it works:
  npx --no -- countersign token get
An API, and a machine that may call it:
  npx --no -- countersign resource-servers create --identifier https://fraud.example --name fraud --scope "fraud:read=Read scores"
  npx --no -- countersign connect payments --to fraud --scopes fraud:read --owner you@example.com --for 90d

Ctrl-C stops it.
`);
  host.signal('SIGINT');
  await ended;
});

test('the first signal drains; a repetition of it does not cut that short, a second one does', async () => {
  let now = 0;
  let drained = (): void => undefined;
  const stopping = new Promise<void>((resolve) => {
    drained = resolve;
  });
  const started = start({}, () => now, stopping);
  await settled();
  started.host.signal('SIGINT');
  await settled();
  started.host.signal('SIGINT');
  expect(started.stops).toBe(1);
  expect(started.host.exits).toEqual([]);
  now = 600;
  started.host.signal('SIGINT');
  expect(started.host.exits).toEqual([130]);
  drained();
  await started.ended;
});

test('a signal before it is ready stops it as soon as it is', async () => {
  const started = start({});
  started.host.signal('SIGTERM');
  await started.ended;
  expect(started.stops).toBe(1);
});
