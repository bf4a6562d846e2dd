#!/usr/bin/env node
// The real services and foreign programs that tests talk to, handed over by environment variables. What could not be
// had is named and never imitated.
//   node tools/test-services.mjs -- COMMAND …   runs a command with them, e.g. npx vitest run packages/server
//   node tools/test-services.mjs --env          prints NAME=value lines, then stays until its input ends or it is stopped
import { run, endWithUs } from './run/child.mjs';
import { provideEnvoy } from './services/envoy.mjs';
import { provideFrontProxies } from './services/front-proxies.mjs';
import { provideLibcoap } from './services/libcoap.mjs';
import { provideMosquitto } from './services/mosquitto.mjs';
import { provideNodeOpcua } from './services/node-opcua.mjs';
import { providePostgres } from './services/postgres.mjs';
import { provideRuntimes } from './services/runtimes.mjs';
import { provideToolchains } from './services/toolchains.mjs';
import { isProgram, ROOT } from './source/report.mjs';

/** @typedef {{name: string, from: string, env: Record<string, string>, stop?: () => Promise<void>}} Found */
/** @typedef {{name: string, missing: string}} Missing */
/** @typedef {{env: Record<string, string>, found: Found[], missing: Missing[], stop: () => Promise<void>}} Services */

/** Starts what can be had. Call `stop` at the end, also after a failure. @param {string} [root] @returns {Promise<Services>} */
export async function startServices(root = ROOT) {
  // At once: on a fresh checkout each waits for what it fetches.
  const answers = (
    await Promise.all([
      providePostgres(root),
      provideToolchains(),
      provideFrontProxies(root),
      provideMosquitto(root),
      provideEnvoy(root),
      provideLibcoap(root),
      provideNodeOpcua(root),
      provideRuntimes(root),
    ])
  ).flat();
  const found = answers.filter((answer) => 'from' in answer);
  const missing = answers.filter((answer) => 'missing' in answer);
  return {
    found,
    missing,
    env: Object.assign({}, ...found.map(({ env }) => env)),
    stop: async () => {
      await Promise.all(found.map(async ({ stop }) => stop?.()));
    },
  };
}

/** For vitest's `globalSetup`: services for a run that nobody else gave any. @returns {Promise<() => Promise<void>>} */
export default async function setup() {
  const services = await startServices();
  Object.assign(process.env, services.env);
  return services.stop;
}

/** @param {string[]} args */
async function main(args) {
  const services = await startServices();
  endWithUs(services.stop);
  for (const { name, missing } of services.missing) console.error(`not available: ${name}: ${missing}`);
  if (args[0] === '--') {
    const [program = '', ...rest] = args.slice(1);
    process.exitCode = await run(program, rest, {
      env: { ...process.env, ...services.env },
      stdio: 'inherit',
    });
  } else {
    for (const [name, value] of Object.entries(services.env)) console.log(`${name}=${value}`);
    await new Promise((resolve) => process.stdin.resume().once('end', resolve).once('close', resolve));
  }
  await services.stop();
}

if (isProgram(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args[0] === '--env' || (args[0] === '--' && args.length > 1)) await main(args);
  else {
    console.error('usage: node tools/test-services.mjs --env | -- COMMAND …');
    process.exitCode = 2;
  }
}
