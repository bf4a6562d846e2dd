import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const CACHE = join(FOLDER, '.cache');
const INSTALL_WITHIN_MS = 170_000;

/** Programs that the run of all tests has looked for; else those of PATH. */
const PYTHON = process.env['COUNTERSIGN_TEST_PYTHON'] ?? 'python3';
const GO = process.env['COUNTERSIGN_TEST_GO'] ?? 'go';
const MAVEN = process.env['COUNTERSIGN_TEST_MAVEN'] ?? 'mvn';

export type ToolchainName = 'node' | 'python' | 'go' | 'java' | 'spiffe-go' | 'spiffe-python';

/** The command that runs a script of this toolchain, or why it cannot be had here. */
export type Installed = { readonly command: readonly string[] } | { readonly absent: string };

interface Toolchain {
  /** Files that decide what gets installed: another content installs again. */
  readonly inputs: readonly string[];
  readonly command: readonly string[];
  /** True where the stamp may be believed: what was installed is still there. */
  present(): boolean;
  install(): Promise<void>;
}

const python = join(CACHE, 'python');
const spiffePython = join(CACHE, 'spiffe-python');
const goBinary = join(CACHE, 'clientcredentials');
const spiffeBinary = join(CACHE, 'spiffe');
const javaClasses = join(CACHE, 'java', 'classes');
const javaLibraries = join(CACHE, 'java', 'lib');

const JAVA_SOURCES = ['SpringClient', 'SpringValidator', 'Trust'].map(
  (name) => `spring/src/main/java/${name}.java`,
);

const TOOLCHAINS: Readonly<Record<ToolchainName, Toolchain>> = {
  node: {
    inputs: ['package.json', 'package-lock.json'],
    command: [process.execPath],
    present: () => existsSync(join(FOLDER, 'node_modules', 'jose')),
    install: () =>
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], FOLDER),
  },
  python: {
    inputs: ['requirements.txt'],
    command: [join(python, 'bin', 'python')],
    present: () => existsSync(join(python, 'bin', 'python')),
    install: () => installPython(python, 'requirements.txt'),
  },
  'spiffe-python': {
    inputs: ['spiffe-python/requirements.txt'],
    command: [join(spiffePython, 'bin', 'python'), join(FOLDER, 'spiffe-python', 'workload.py')],
    present: () => existsSync(join(spiffePython, 'bin', 'python')),
    install: () => installPython(spiffePython, 'spiffe-python/requirements.txt'),
  },
  go: {
    inputs: ['go/go.mod', 'go/go.sum', 'go/main.go'],
    command: [goBinary],
    present: () => existsSync(goBinary),
    install: () => run(GO, ['build', '-buildvcs=false', '-o', goBinary, '.'], join(FOLDER, 'go')),
  },
  'spiffe-go': {
    inputs: ['go.mod', 'go.sum', 'main.go', 'federation.go'].map((name) => `spiffe-go/${name}`),
    command: [spiffeBinary],
    present: () => existsSync(spiffeBinary),
    install: () => run(GO, ['build', '-buildvcs=false', '-o', spiffeBinary, '.'], join(FOLDER, 'spiffe-go')),
  },
  java: {
    inputs: ['spring/pom.xml', ...JAVA_SOURCES],
    // a short-lived program: what the compiler would gain, it would not live to see
    command: ['java', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', `${javaClasses}:${javaLibraries}/*`],
    present: () => existsSync(join(javaClasses, 'SpringClient.class')) && existsSync(javaLibraries),
    install: async () => {
      rmSync(join(CACHE, 'java'), { recursive: true, force: true });
      const goals = ['compile', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
      const where = [`-DoutputDirectory=${javaLibraries}`, `-Dcountersign.build=${join(CACHE, 'java')}`];
      await run(MAVEN, ['-q', '-B', '-ntp', ...goals, ...where], join(FOLDER, 'spring'));
    },
  },
};

/** An environment of its own, with these packages and nothing of the machine's. */
async function installPython(folder: string, requirements: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await run(PYTHON, ['-m', 'venv', '--without-pip', folder], FOLDER);
  const pip = ['-m', 'pip', '--python', join(folder, 'bin', 'python'), 'install', '--quiet'];
  await run(PYTHON, [...pip, '--disable-pip-version-check', '-r', requirements], FOLDER);
}

const promised = new Map<ToolchainName, Promise<Installed>>();

/** Installs a toolchain's packages into this folder unless they are there already. Several processes may ask at once. */
export function toolchain(name: ToolchainName): Promise<Installed> {
  const known = promised.get(name);
  if (known !== undefined) return known;
  const made = underLock(name, () => installOnce(TOOLCHAINS[name], join(CACHE, `${name}.stamp`))).catch(
    (error: Error) => ({
      absent: `${name}: ${error.message.trim().split('\n').slice(-3).join(' ').slice(0, 300)}`,
    }),
  );
  promised.set(name, made);
  return made;
}

async function installOnce(wanted: Toolchain, stamp: string): Promise<Installed> {
  const hash = createHash('sha256');
  for (const input of wanted.inputs) hash.update(readFileSync(join(FOLDER, input)));
  const digest = hash.update(process.versions.modules).digest('hex');
  const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest && wanted.present();
  if (!done) {
    await wanted.install();
    writeFileSync(stamp, digest);
  }
  return { command: wanted.command };
}

/** A directory is the lock: making it is atomic. One that is older than any install may take was left by a dead process. */
async function underLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  mkdirSync(CACHE, { recursive: true });
  const lock = join(CACHE, `${name}.lock`);
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const age = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0;
      if (age > INSTALL_WITHIN_MS + 10_000) rmSync(lock, { recursive: true, force: true });
      await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    rmdirSync(lock);
  }
}

const NPM_SETTINGS =
  /^npm_config_(cache|registry|userconfig|globalconfig|cafile|https?_proxy|proxy|noproxy)$/i;

/** The environment for installing: without what an outer `npm run` put there about another folder. */
function installEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        (!/^npm_/i.test(name) || NPM_SETTINGS.test(name)) &&
        !/^(VITEST|COUNTERSIGN_|NODE_OPTIONS$)/.test(name),
    ),
  );
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      { cwd, env: installEnvironment(), timeout: INSTALL_WITHIN_MS, maxBuffer: 16_000_000 },
      (error, _stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(stderr.trim() === '' ? error.message : stderr));
      },
    );
  });
}
