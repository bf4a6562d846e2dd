// The story, step by step: what is done, by which command, and what must come of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { typed } from './scene.mjs';
import { awaitFile, expect, firstLine, step } from '../stage/stage.mjs';

/** @typedef {import('./scene.mjs').Scene} Scene */

const FRAUD = 'https://fraud.example';
const LEDGER = 'https://ledger.example';
const CUT_OFF_WITHIN_MS = 2000;

/** @param {string[]} args */
const command = (args) => `npx --no -- countersign ${args.map(typed).join(' ')}`;

/** @param {Scene} scene */
export async function startAuthority(scene) {
  const { folder, declared, readyFile } = scene;
  const args = ['dev', '--port', '0', '--data-dir', folder, '--apply', declared, '--ready-file', readyFile];
  return await step('the authority is up, with its own CA and an empty database', command(args), async () => {
    return await awaitFile(scene.startCountersign(args), readyFile);
  });
}

/** @param {Scene} scene */
export async function startApis(scene) {
  const files = ['fraud-api.mjs', 'ledger-api.mjs'];
  const commands = [
    `export COUNTERSIGN_READY_FILE=${typed(scene.readyFile)}`,
    ...files.map((file) => `node examples/quickstart/${file} &`),
  ];
  return await step('two APIs are up: fraud and ledger', commands.join('\n    '), () =>
    Promise.all(files.map((file) => firstLine(scene.startExample(file)))),
  );
}

/** @param {Scene} scene @param {string} resource */
const tokenFor = ({ secretFile }, resource) => [
  'token',
  'get',
  '--client-id',
  'payments',
  '--client-secret-file',
  secretFile,
  '--resource',
  resource,
];

/** @param {Scene} scene */
export async function getToken(scene) {
  const args = tokenFor(scene, FRAUD);
  const line = `${command(args)} > ${typed(scene.tokenFile)}`;
  await step('payments gets a token that is good for ten minutes', line, async () => {
    const { code, out, err } = await scene.countersign(args);
    expect('a token', code === 0 && out.split('.').length === 3, err || out);
    writeFileSync(scene.tokenFile, out, { mode: 0o600 });
  });
}

/** @param {Scene} scene @param {string} fraud */
export async function readFraud(scene, fraud) {
  const line = `node examples/quickstart/payments.mjs GET ${fraud}/scores/42`;
  await step('payments reads fraud: 200', line, async () => {
    const { out, err } = await scene.example('payments.mjs', ['GET', `${fraud}/scores/42`]);
    expect('200 with a score', /^200 .*"score":7/.test(out), err || out);
  });
}

/** @param {Scene} scene @param {string} fraud */
export async function refusedToWrite(scene, fraud) {
  const line = `node examples/quickstart/payments.mjs POST ${fraud}/rules`;
  await step('payments may not write there: 403 insufficient_scope', line, async () => {
    const { out, err } = await scene.example('payments.mjs', ['POST', `${fraud}/rules`]);
    expect('403 insufficient_scope', /^403 .*insufficient_scope/.test(out), err || out);
  });
}

/** The token as it is, as whoever finds it would use it. @param {Scene} scene @param {string} url */
async function withToken(scene, url) {
  const authorization = `Bearer ${readFileSync(scene.tokenFile, 'utf8')}`;
  const response = await fetch(url, { headers: { authorization } });
  return `${response.status} ${response.headers.get('www-authenticate') ?? (await response.text())}`;
}

/** @param {Scene} scene @param {string} url */
const curl = ({ tokenFile }, url) => `curl -i -H "Authorization: Bearer $(cat ${typed(tokenFile)})" ${url}`;

const REFUSED = /^401 .*invalid_token/;

/** @param {Scene} scene @param {string} ledger */
export async function refusedElsewhere(scene, ledger) {
  const url = `${ledger}/entries`;
  await step('ledger refuses a token that is for fraud: 401 invalid_token', curl(scene, url), async () => {
    const answer = await withToken(scene, url);
    expect('401 invalid_token', REFUSED.test(answer), answer);
  });
  const args = tokenFor(scene, LEDGER);
  await step('and there is no token for ledger: invalid_target', command(args), async () => {
    const { code, out, err } = await scene.countersign(args);
    expect('invalid_target and exit code 4', code === 4 && err.includes('invalid_target'), err || out);
  });
}

/** @param {Scene} scene @param {string} fraud */
export async function cutOff(scene, fraud) {
  const order = [
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
  const ordered = await step('payments is cut off', command(order), async () => {
    const { code, out, err } = await scene.countersign(order);
    expect('a cut-off', code === 0, err || out);
    return performance.now();
  });
  const url = `${fraud}/scores/42`;
  await step('fraud refuses the token it took before: 401 invalid_token', curl(scene, url), async () => {
    let answer = await withToken(scene, url);
    while (!REFUSED.test(answer) && performance.now() - ordered < CUT_OFF_WITHIN_MS) {
      await sleep(20);
      answer = await withToken(scene, url);
    }
    expect('401 invalid_token within 2 s', REFUSED.test(answer), answer);
  });
  const args = tokenFor(scene, FRAUD);
  await step('and the authority gives it no other: invalid_client', command(args), async () => {
    const { code, out, err } = await scene.countersign(args);
    expect('invalid_client and exit code 4', code === 4 && err.includes('invalid_client'), err || out);
  });
}
