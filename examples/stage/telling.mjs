// How a story is told that has an authority of its own: it knows what the documents say, and ends with the story.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, fetchTrusting } from '@countersign/client';
import { Lacking, LACKING } from './program.mjs';
import { awaitFile, endAll, firstLine, run, start, step } from './stage.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COUNTERSIGN = join(ROOT, 'packages/cli/bin/countersign.js');

/** A document as `countersign apply` takes it. @param {string} kind @param {string} name @param {object} spec */
export const document = (kind, name, spec) => ({
  apiVersion: 'countersign/v1',
  kind,
  metadata: { name },
  spec,
});

/** An identity that proves itself by a secret. @param {string} name @param {{kind?: string, purpose: string}} about */
export function identityWithSecret(name, { kind = 'service', purpose }) {
  const owner = { person: 'ada@example.com', team: 'examples' };
  const spec = { kind, environment: 'dev', purpose, owner, expires_in: '90d' };
  const secret = { identity: name, type: 'client_secret', secretFile: `${name}.secret` };
  return [document('Identity', name, spec), document('Credential', name, secret)];
}

/** @param {string} identity @param {string} resource @param {string[]} scopes @param {string} justification */
export const access = (identity, resource, scopes, justification) =>
  document('Access', `${identity} at ${resource}: ${scopes.join(' ')}`, {
    identity,
    resource_server: resource,
    scopes,
    justification,
    expires_in: '90d',
  });

/** @typedef {Awaited<ReturnType<typeof open>>} Scene */

/** @param {string} folder @param {object[]} documents @param {string[]} flags */
async function open(folder, documents, flags) {
  const declared = join(folder, 'authority.yaml');
  const readyFile = join(folder, 'ready.json');
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN_'));
  const env = Object.fromEntries(settings);
  const reached = { ...env, COUNTERSIGN_READY_FILE: readyFile };
  const command = ['countersign dev --apply authority.yaml', ...flags].join(' ');
  const ready = await step('the authority is up', command, () => {
    writeFileSync(declared, documents.map((each) => JSON.stringify(each)).join('\n---\n'));
    const args = ['dev', '--port', '0', '--data-dir', folder, '--apply', declared, '--ready-file', readyFile];
    args.push(...flags);
    return awaitFile(start([COUNTERSIGN, ...args], { cwd: ROOT, env }), readyFile);
  });
  const authority = { issuer: ready.issuer, fetch: fetchTrusting(readFileSync(ready.ca_file, 'utf8')) };
  return {
    folder,
    ready,
    /** Options that every client of this authority has in common. */
    authority,
    /** @param {string} identity one of `identityWithSecret` */
    clientOf: (identity) =>
      createClient({
        ...authority,
        clientId: identity,
        clientSecret: readFileSync(join(folder, `${identity}.secret`), 'utf8').trim(),
      }),
    /** Starts a program that stays up, and gives the first line it prints. @param {string} file @param {string[]} args */
    serve: (file, ...args) =>
      firstLine(start([join(ROOT, 'examples', file), ...args], { cwd: ROOT, env: reached })),
    /** Runs `countersign` to its end. @param {string[]} args */
    countersign: (...args) => run([COUNTERSIGN, ...args], { cwd: ROOT, env: reached }),
  };
}

/**
 * Tells a story once. The process exits non-zero at the first step that does not hold, and with 77 where this machine lacks
 * a program that it needs.
 * @param {object[] | ((folder: string) => Promise<object[]>)} documents or what makes them, and files beside them
 * @param {(scene: Scene) => Promise<void>} story
 * @param {string[]} flags further ones of the authority
 */
export async function tell(documents, story, flags = []) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-example-'));
  try {
    const declared = typeof documents === 'function' ? await documents(folder) : documents;
    await story(await open(folder, declared, flags));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = error instanceof Lacking ? LACKING : 1;
  }
  await endAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
