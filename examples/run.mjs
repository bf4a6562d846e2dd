#!/usr/bin/env node
// Runs every example once: each asserts its own story and exits 0, or 77 where a program that it needs is missing.
// node examples/run.mjs [name…]
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const named = process.argv.slice(2);
const stories = readdirSync(HERE).filter((name) => existsSync(`${HERE}${name}/run.mjs`));

const unknown = named.find((name) => !stories.includes(name));
if (unknown !== undefined) {
  console.error(`There is no example ${unknown}. There are: ${stories.join(' ')}`);
  process.exit(2);
}

let failed = 0;
for (const story of named.length > 0 ? named : stories) {
  const started = performance.now();
  const child = spawn(process.execPath, [`${HERE}${story}/run.mjs`, '--once'], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  const mark = code === 0 ? '✓' : code === 77 ? '–' : '✗';
  console.log(`${mark} ${story} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (code !== 0 && code !== 77) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
