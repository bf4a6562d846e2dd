#!/usr/bin/env node
// The quickstart: an authority, a machine and two APIs tell one story. `--once` ends after it; else all stays up.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endAll, expect, firstLine, run, start, step } from './stage.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const COUNTERSIGN = join(ROOT, 'packages/cli/bin/countersign.js');
const FRAUD = 'https://fraud.example';
const LEDGER = 'https://ledger.example';
const once = process.argv.includes('--once');

/** A folder of its own, new each time: the story ends with a machine that is cut off for good. */
const folder = once
  ? mkdtempSync(join(tmpdir(), 'countersign-quickstart-'))
  : join(ROOT, '.countersign/quickstart');
if (!once) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
const readyFile = join(folder, 'ready.json');
const tokenFile = join(folder, 'payments.token');
const declared = once ? join(folder, 'authority.yaml') : join(HERE, 'authority.yaml');
if (once) copyFileSync(join(HERE, 'authority.yaml'), declared);
const secretFile = declared.replace('authority.yaml', 'payments.secret');

/** Paths as one would type them in the checkout. @param {string} path */
const typed = (path) => (path.startsWith(ROOT) ? relative(ROOT, path) : path);
const options = {
  cwd: ROOT,
  env: {
    ...withoutSettings(process.env),
    COUNTERSIGN_READY_FILE: readyFile,
    PAYMENTS_SECRET_FILE: secretFile,
  },
};
/** @param {string[]} args */
const countersign = (args) => run([COUNTERSIGN, ...args], options);

/** Settings of another authority on this machine would be read as ours. @param {NodeJS.ProcessEnv} env */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('COUNTERSIGN_')));
}

async function story() {
  const authority = await startAuthority();
  const [fraud, ledger] = await startApis();
  await getToken();
  await readFraud(fraud);
  await refusedScope(fraud);
  await refusedElsewhere(ledger);
  await refusedTokenElsewhere();
  await cutOff(fraud);
  await refusedToken();
  return { authority, fraud, ledger };
}

async function startAuthority() {
  const args = ['dev', '--port', '0', '--data-dir', folder, '--apply', declared, '--ready-file', readyFile];
  const command = `npx countersign ${args.map(typed).join(' ')}`;
  return await step('the authority is up, with its own CA and an empty database', command, async () => {
    const child = start([COUNTERSIGN, ...args], { ...options, env: withoutSettings(process.env) });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => (told = (told + chunk).slice(-4000)));
    child.stdout.resume();
    for (let waited = 0; waited < 30_000; waited += 10) {
      const ready = readIfWhole(readyFile);
      if (ready) return ready;
      expect('an authority that is ready', child.exitCode === null, `exit code ${child.exitCode}: ${told}`);
      await sleep(10);
    }
    return expect('an authority that is ready within 30 s', false, told);
  });
}

/** @param {string} file */
function readIfWhole(file) {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  } catch {
    return undefined;
  }
}

async function startApis() {
  const command = `export COUNTERSIGN_READY_FILE=${typed(readyFile)}
    node examples/quickstart/fraud-api.mjs & node examples/quickstart/ledger-api.mjs &`;
  return await step('two APIs are up: fraud and ledger', command, () =>
    Promise.all(
      ['fraud-api.mjs', 'ledger-api.mjs'].map((file) => firstLine(start([join(HERE, file)], options))),
    ),
  );
}

const GET = ['token', 'get', '--client-id', 'payments', '--client-secret-file', secretFile, '--resource'];
/** @param {string} resource */
const getCommand = (resource) => `npx countersign ${[...GET, resource].map(typed).join(' ')}`;

async function getToken() {
  const command = `${getCommand(FRAUD)} > ${typed(tokenFile)}`;
  await step('payments gets a token that is good for ten minutes', command, async () => {
    const { code, out, err } = await countersign([...GET, FRAUD]);
    expect('a token', code === 0 && out.split('.').length === 3, err || out);
    writeFileSync(tokenFile, out, { mode: 0o600 });
  });
}

/** @param {string} method @param {string} url */
async function payments(method, url) {
  const { out, err } = await run([join(HERE, 'payments.mjs'), method, url], options);
  return out || err;
}

/** @param {string} fraud */
async function readFraud(fraud) {
  const command = `node examples/quickstart/payments.mjs GET ${fraud}/scores/42`;
  await step('payments reads fraud: 200', command, async () => {
    const answer = await payments('GET', `${fraud}/scores/42`);
    expect('200 with a score', /^200 .*"score":7/.test(answer), answer);
  });
}

/** @param {string} fraud */
async function refusedScope(fraud) {
  const command = `node examples/quickstart/payments.mjs POST ${fraud}/rules`;
  await step('payments may not write there: 403 insufficient_scope', command, async () => {
    const answer = await payments('POST', `${fraud}/rules`);
    expect('403 insufficient_scope', /^403 .*insufficient_scope/.test(answer), answer);
  });
}

/** The token as it is, as whoever finds it would use it. @param {string} url */
async function withToken(url) {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${readFileSync(tokenFile, 'utf8')}` },
  });
  return `${response.status} ${response.headers.get('www-authenticate') ?? (await response.text())}`;
}

/** @param {string} url */
const curl = (url) => `curl -i -H "Authorization: Bearer $(cat ${typed(tokenFile)})" ${url}`;

/** @param {string} ledger */
async function refusedElsewhere(ledger) {
  await step(
    'ledger refuses a token that is for fraud: 401 invalid_token',
    curl(`${ledger}/entries`),
    async () => {
      const answer = await withToken(`${ledger}/entries`);
      expect('401 invalid_token', /^401 .*invalid_token/.test(answer), answer);
    },
  );
}

async function refusedTokenElsewhere() {
  await step('and there is no token for ledger: invalid_target', getCommand(LEDGER), async () => {
    const { code, out, err } = await countersign([...GET, LEDGER]);
    expect('invalid_target and exit code 4', code === 4 && err.includes('invalid_target'), err || out);
  });
}

const CUT_OFF = [
  'cutoffs',
  'create',
  '--kind',
  'identity',
  '--id',
  'payments',
  '--reason',
  'leaked',
  '--yes',
];
const WITHIN_MS = 2000;

/** @param {string} fraud */
async function cutOff(fraud) {
  const command = `npx countersign ${CUT_OFF.join(' ')}`;
  const ordered = await step('payments is cut off', command, async () => {
    const { code, out, err } = await countersign(CUT_OFF);
    expect('a cut-off', code === 0, err || out);
    return performance.now();
  });
  await step(
    'fraud refuses the token it took before: 401 invalid_token',
    curl(`${fraud}/scores/42`),
    async () => {
      let answer = await withToken(`${fraud}/scores/42`);
      while (!answer.startsWith('401') && performance.now() - ordered < WITHIN_MS) {
        await sleep(20);
        answer = await withToken(`${fraud}/scores/42`);
      }
      expect('401 invalid_token within 2 s', /^401 .*invalid_token/.test(answer), answer);
    },
  );
}

async function refusedToken() {
  await step('and the authority gives it no other: invalid_client', getCommand(FRAUD), async () => {
    const { code, out, err } = await countersign([...GET, FRAUD]);
    expect('invalid_client and exit code 4', code === 4 && err.includes('invalid_client'), err || out);
  });
}

/** Children end first, then what is left of them. */
async function end() {
  await endAll();
  if (once) rmSync(folder, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await end();
    process.exit(once ? 130 : 0);
  });
}

try {
  const { authority, fraud, ledger } = await story();
  if (once) await end();
  else {
    console.log(
      `\nauthority  ${authority.issuer}\nfraud      ${fraud}\nledger     ${ledger}\nCtrl-C ends all three.`,
    );
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await end();
  process.exitCode = 1;
}
