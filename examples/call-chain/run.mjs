#!/usr/bin/env node
// One request to the shop becomes 30 calls, each in the caller's name and each saying who acts. `--once` is how it always ends.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, fetchTrusting } from '@countersign/client';
import { awaitFile, endAll, expect, firstLine, run, start, step } from '../quickstart/stage.mjs';
import { CALLER, CALLS, documents, resourceOf, secretFileOf } from './estate.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COUNTERSIGN = join(ROOT, 'packages/cli/bin/countersign.js');
const folder = mkdtempSync(join(tmpdir(), 'countersign-call-chain-'));
const declared = join(folder, 'estate.yaml');
const readyFile = join(folder, 'ready.json');
const env = { ...process.env, COUNTERSIGN_READY_FILE: readyFile };

/** All answers, the shop's first. */
const flat = (answer) => [answer, ...(answer.heard ?? []).flatMap(flat)];

async function tell() {
  const ready = await step(
    'the authority is up and knows eleven APIs',
    'countersign dev --apply estate.yaml',
    () => {
      writeFileSync(
        declared,
        documents()
          .map((each) => JSON.stringify(each))
          .join('\n---\n'),
      );
      const args = [
        'dev',
        '--port',
        '0',
        '--data-dir',
        folder,
        '--apply',
        declared,
        '--ready-file',
        readyFile,
      ];
      return awaitFile(start([COUNTERSIGN, ...args], { cwd: ROOT, env }), readyFile);
    },
  );
  const addresses = await step(
    'they are up, each with a client of its own',
    'node services.mjs &',
    async () =>
      JSON.parse(
        await firstLine(start([join(ROOT, 'examples/call-chain/services.mjs'), folder], { cwd: ROOT, env })),
      ),
  );
  const trusting = fetchTrusting(readFileSync(ready.ca_file, 'utf8'));
  const clientSecret = readFileSync(join(folder, secretFileOf(CALLER)), 'utf8').trim();
  const client = createClient({ issuer: ready.issuer, clientId: CALLER, clientSecret, fetch: trusting });
  const shop = resourceOf('shop');
  const { accessToken } = await client.token({ resource: shop });

  const ask = 'client.fetch(shop)';
  await step('one request becomes 30 calls in the caller’s name', ask, async () => {
    const response = await client.fetch(addresses.shop, {}, { resource: shop });
    const answers = flat(await response.json());
    expect('31 answers', answers.length === 31, `${answers.length}`);
    expect('one subject', new Set(answers.map(({ sub }) => sub)).size === 1, JSON.stringify(answers[0]));
    const [asked, ...called] = answers;
    expect('the caller itself at the shop', asked.actors.length === 0, JSON.stringify(asked.actors));
    for (const { api, actors } of called) {
      const right = CALLS.shop.includes(api) ? ['shop'] : [actors[0], 'shop'];
      const held = actors.join() === right.join() && CALLS[actors[0]].includes(api);
      expect(`who acts at ${api}`, held, actors.join(' for '));
    }
  });
  await step('again, with the tokens that are kept: at most 2 s', ask, async () => {
    const started = performance.now();
    await (await client.fetch(addresses.shop, {}, { resource: shop })).arrayBuffer();
    const took = performance.now() - started;
    expect('at most 2 s', took < 2000, `${took.toFixed(0)} ms`);
  });
  await step(
    'the shop may not go past the APIs that it calls: invalid_target',
    'exchange for ledger',
    async () => {
      const secret = readFileSync(join(folder, secretFileOf('shop')), 'utf8').trim();
      const itself = createClient({
        issuer: ready.issuer,
        clientId: 'shop',
        clientSecret: secret,
        fetch: trusting,
      });
      const target = { resource: resourceOf('ledger'), subjectToken: accessToken };
      const refusal = await itself.token(target).catch((error) => error);
      expect('invalid_target', refusal.error === 'invalid_target', String(refusal.message ?? 'a token'));
      await itself.close();
    },
  );
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'orders', '--reason', 'drill', '--yes'];
  await step(
    'orders is cut off: nothing acts through it within 2 s, the rest goes on',
    order.join(' '),
    async () => {
      const { code, out, err } = await run([COUNTERSIGN, ...order], { cwd: ROOT, env });
      expect('a cut-off', code === 0, err || out);
      let refused = [];
      for (const started = performance.now(); refused.length < 5 && performance.now() - started < 2000; ) {
        const answers = flat(await (await client.fetch(addresses.shop, {}, { resource: shop })).json());
        refused = answers.filter((answer) => answer.refused !== undefined);
      }
      expect('five calls refused', refused.length === 5, JSON.stringify(refused));
    },
  );
  await client.close();
}

try {
  await tell();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
await endAll();
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
