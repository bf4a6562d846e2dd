// Where the story plays: the folder of this telling, the files in it, and how to run the project's own programs there.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start } from '../stage/stage.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const COUNTERSIGN = join(ROOT, 'packages/cli/bin/countersign.js');

/** @typedef {ReturnType<typeof setScene>} Scene */

/**
 * A new folder each time, because the story ends with a machine that is cut off for good: below `.countersign` in the
 * checkout, or a temporary one that leaves nothing behind.
 * @param {boolean} temporary
 */
export function setScene(temporary) {
  const folder = temporary ? mkdtempSync(join(tmpdir(), 'countersign-quickstart-')) : keptFolder();
  const declared = temporary ? join(folder, 'authority.yaml') : join(HERE, 'authority.yaml');
  if (temporary) copyFileSync(join(HERE, 'authority.yaml'), declared);
  const readyFile = join(folder, 'ready.json');
  const secretFile = declared.replace('authority.yaml', 'payments.secret');
  const env = withoutSettings(process.env);
  const reached = { ...env, COUNTERSIGN_READY_FILE: readyFile, PAYMENTS_SECRET_FILE: secretFile };
  return {
    folder,
    declared,
    readyFile,
    secretFile,
    tokenFile: join(folder, 'payments.token'),
    /** Starts `countersign` and leaves it running. @param {string[]} args */
    startCountersign: (args) => start([COUNTERSIGN, ...args], { cwd: ROOT, env }),
    /** Runs `countersign` to its end. @param {string[]} args */
    countersign: (args) => run([COUNTERSIGN, ...args], { cwd: ROOT, env: reached }),
    /** Starts a program of this folder and leaves it running. @param {string} file */
    startExample: (file) => start([join(HERE, file)], { cwd: ROOT, env: reached }),
    /** Runs a program of this folder to its end. @param {string} file @param {string[]} args */
    example: (file, args) => run([join(HERE, file), ...args], { cwd: ROOT, env: reached }),
    leave() {
      if (temporary) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function keptFolder() {
  const folder = join(ROOT, '.countersign/quickstart');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** As one would type it in the checkout. @param {string} word */
export function typed(word) {
  return word.startsWith(ROOT) ? relative(ROOT, word) : word;
}

/** Settings of another authority on this machine would be read as ours. @param {NodeJS.ProcessEnv} env */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('COUNTERSIGN_')));
}
