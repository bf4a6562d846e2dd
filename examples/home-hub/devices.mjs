// What the things in the house run: mosquitto_pub and mosquitto_sub, which know nothing of tokens or of the authority.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programOf } from '../stage/program.mjs';
import { StepFailed, startProgram } from '../stage/stage.mjs';

/** @typedef {{ id: string, options: string[], env: NodeJS.ProcessEnv }} Thing */

/** @param {string} folder @param {string} port of the hub */
export function thingsOf(folder, port) {
  const hub = ['-h', 'localhost', '-p', port, '--cafile', join(folder, 'hub.pem')];
  return {
    /** One that shows the certificate it has claimed. @param {string} id @returns {Thing} */
    withCertificate: (id, as = id) => ({
      id,
      options: [...hub, '-i', id, '--cert', join(folder, `${as}.pem`), '--key', join(folder, `${as}.key`)],
      env: process.env,
    }),
    /** One that has a token: in a file, for arguments are there for everybody to see. @param {string} id @param {string} token @returns {Thing} */
    withToken(id, token) {
      const home = join(folder, `${id}.config`);
      mkdirSync(home, { recursive: true });
      for (const program of ['mosquitto_pub', 'mosquitto_sub']) {
        writeFileSync(join(home, program), `-u ${id}\n-P ${token}\n`, { mode: 0o600 });
      }
      return { id, options: [...hub, '-i', id], env: { ...process.env, XDG_CONFIG_HOME: home } };
    },
  };
}

/** Publishes, and gives what was said about it: nothing where all is well. @param {Thing} thing @param {string} topic @param {string} message */
export async function publish({ options, env }, topic, message) {
  const args = [...options, '-V', '5', '-q', '1', '-r', '-t', topic, '-m', message];
  const child = startProgram(programOf('mosquitto_pub'), args, { cwd: '/', env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (said += chunk));
  }
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(late);
  return said.trim();
}

/**
 * Subscribes, and stays. `says` resolves when it has said so, with everything that it has said until then.
 * @param {Thing} thing @param {'311' | '5'} version @param {string[]} filters
 */
export function subscribe({ id, options, env }, version, ...filters) {
  const args = [...options, '-V', version, '-d', '-v', '-q', '1', ...filters.flatMap((each) => ['-t', each])];
  // It writes to a pipe in blocks, which would keep what it says until it ends.
  const whole = ['-oL', programOf('mosquitto_sub'), ...args];
  const child = startProgram(programOf('stdbuf'), whole, { cwd: '/', env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (said += chunk));
  }
  return {
    /** @param {RegExp} what */
    async says(what, withinMs = 10_000) {
      for (const began = performance.now(); !what.test(said); await sleep(5)) {
        if (performance.now() - began > withinMs) throw new StepFailed(`${id} to say ${what}`, said);
      }
      return said;
    },
    leave: () => void child.kill('SIGTERM'),
  };
}
