/**
 * `npm run bench [-- NAME… --option value]`: runs the benches, prints what they measured, and writes it into README.md
 * between their markers with the machine and the commit. Figures are printed, never asserted.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, keepApart, root } from './machine.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
/** In the order in which they run; the last ones only when named. */
const BENCHES = [
  'token-endpoint',
  'governance',
  'private-key-jwt',
  'introspection',
  'mtls',
  'verify',
  'use-counting',
  'cutoff',
  'device-cutoff',
  'call-chain',
  'gateway',
  'mqtt',
  'start',
  'estate-size',
  'sweep',
];
const WHEN_NAMED = ['profile', 'as-of'];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '64,1,256' },
    clients: { type: 'string', default: '64' },
    only: { type: 'string' },
    starts: { type: 'string', default: '7' },
    estates: { type: 'string', default: '10,200000' },
    'estate-clients': { type: 'string', default: '5000' },
    top: { type: 'string', default: '40' },
    postgres: { type: 'boolean', default: false },
    nice: { type: 'string', default: '0' },
    'no-write': { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => ![...BENCHES, ...WHEN_NAMED].includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `no bench is called ${unknown.join(', ')}; there are ${[...BENCHES, ...WHEN_NAMED].join(', ')}\n`,
  );
  process.exit(2);
}
if (!existsSync('/proc/self/stat')) {
  process.stderr.write('the bench reads CPU time from /proc and so needs Linux\n');
  process.exit(1);
}

/** Runs a command quietly; its output only when it fails. */
function quietly(what, command, args, cwd) {
  process.stderr.write(`${what}\n`);
  const done = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${what} failed:\n${done.stdout}${done.stderr}`);
}

const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
if (!existsSync(join(root, 'node_modules'))) quietly('installing', 'npm', install, root);
// A command whose bundle is older than the code runs without it, and is measured without it.
quietly('building', process.execPath, ['tools/build.mjs'], root);
if (!existsSync(join(here, 'node_modules/oidc-provider')))
  quietly('installing the peers', 'npm', install, here);

const numbers = (text) => text.split(',').map(Number);
const options = {
  apart: keepApart(Number(flags.nice)),
  rounds: Number(flags.rounds),
  seconds: Number(flags.seconds),
  connections: numbers(flags.connections),
  clients: Number(flags.clients),
  only: flags.only?.split(','),
  starts: Number(flags.starts),
  estates: numbers(flags.estates),
  estateClients: Number(flags['estate-clients']),
  top: Number(flags.top),
  postgres: flags.postgres,
  say: (text) => process.stderr.write(`  ${text}\n`),
};

/** Puts a bench's result between its markers; between those of this major version of Node, where the page has some. */
function write(name, text) {
  const file = join(here, 'README.md');
  const page = readFileSync(file, 'utf8');
  const ofNode = `${name}:node-${process.versions.node.split('.')[0]}`;
  const place = page.includes(`<!-- result:${ofNode} -->`) ? ofNode : name;
  const [from, to] = [`<!-- result:${place} -->`, `<!-- /result:${place} -->`];
  const [start, end] = [page.indexOf(from), page.indexOf(to)];
  if (start < 0 || end < start) return;
  writeFileSync(file, `${page.slice(0, start + from.length)}\n${text}\n${page.slice(end)}`);
}

const machine = describeMachine();
process.stdout.write(`${machine}\n`);
for (const name of positionals.length > 0 ? positionals : BENCHES) {
  process.stderr.write(`${name}\n`);
  const { run } = await import(`./${name}.mjs`);
  const text = await run(options);
  if (text === undefined) continue;
  process.stdout.write(`\n## ${name}\n\n${text}\n`);
  if (!flags['no-write']) write(name, `${machine}\n\n${text}`);
}
