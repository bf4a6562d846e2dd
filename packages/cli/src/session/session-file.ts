import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JsonWebKey } from '@countersign/protocol';
import { CommandFailure } from '../failure.ts';
import type { Host } from '../host.ts';

/** A person who is signed in at one authority, on this machine. */
export interface Session {
  readonly issuer: string;
  readonly access_token: string;
  /** RFC 3339. */
  readonly expires_at: string;
  /** The private key to which the token is bound: without it the token is worth nothing. */
  readonly key: JsonWebKey;
}

type Place = Pick<Host, 'env' | 'cwd'>;

/** One file for each authority, in a folder that nobody else reads. */
export function sessionPath(host: Place, issuer: string): string {
  const name = createHash('sha256').update(issuer).digest('hex').slice(0, 32);
  return join(sessionFolder(host), `${name}.json`);
}

function sessionFolder({ env, cwd }: Place): string {
  const own = env['COUNTERSIGN_SESSION_DIR'];
  if (own !== undefined && own !== '') return resolve(cwd, own);
  const config = env['XDG_CONFIG_HOME'];
  if (config !== undefined && config.startsWith('/')) return join(config, 'countersign', 'sessions');
  const home = env['HOME'] ?? env['USERPROFILE'];
  if (home === undefined || home === '') return resolve(cwd, '.countersign', 'sessions');
  return join(home, '.config', 'countersign', 'sessions');
}

/** Undefined: nobody is signed in at this authority. @throws CommandFailure when the file cannot be read */
export function readSession(host: Place, issuer: string): Session | undefined {
  const path = sessionPath(host, issuer);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path);
  }
  try {
    const session = JSON.parse(text) as Session;
    const whole =
      session.issuer === issuer &&
      typeof session.access_token === 'string' &&
      typeof session.expires_at === 'string' &&
      typeof session.key === 'object';
    if (whole) return session;
  } catch {
    // Said below: what the parser says may repeat the token.
  }
  throw unreadable(path);
}

function unreadable(path: string): CommandFailure {
  return new CommandFailure('failure', `The session in ${path} cannot be read.`, {
    fix: 'Sign in again: countersign login',
  });
}

/** Whole or not at all, and readable by its owner alone from the first byte. */
export function writeSession(host: Place, session: Session): string {
  const path = sessionPath(host, session.issuer);
  const folder = sessionFolder(host);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify(session)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(beside, path);
  return path;
}

export function deleteSession(host: Place, issuer: string): void {
  rmSync(sessionPath(host, issuer), { force: true });
}
