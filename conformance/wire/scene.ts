import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { accessBody, makeMachine, openAdmin, resourceServerBody, type Admin, type Machine } from './admin.ts';
import { currentTarget, type ClientCredentials, type Target } from './target.ts';

/** One client, one API, and the scopes that the client holds there. */
export interface Scene {
  readonly target: Target;
  readonly client: ClientCredentials;
  /** Named in requests where the target told us one. */
  readonly resource: string | undefined;
  readonly scopes: readonly string[];
}

/** A scene made through the admin API, with everything that its ids open. */
export interface SeededScene extends Scene {
  readonly admin: Admin;
  readonly machine: Machine;
  readonly resource: string;
  readonly resourceServerId: string;
  readonly accessId: string;
  /** Registered at the API, not held by the client. */
  readonly foreignScope: string;
}

/** A short name that no earlier run has used. */
export function freshName(stem: string): string {
  return `${stem}-${randomBytes(5).toString('hex')}`;
}

/** Remembers a secret that must not be found anywhere when the run ends. */
export function rememberSecret(target: Target, secret: string): void {
  if (target.own !== undefined) appendFileSync(target.own.canaries, `${secret}\n`);
}

/** Makes one machine with access to `read` and `write` of one API that also knows `delete`. */
export async function seedScene(stem: string, target: Target = currentTarget()): Promise<SeededScene> {
  const admin = openAdmin(target);
  const name = freshName(stem);
  const resource = `https://${name}.example/api`;
  const server = await admin.must(
    'POST',
    '/resource-servers',
    resourceServerBody(resource, ['read', 'write', 'delete']),
  );
  const machine = await makeMachine(admin, name);
  rememberSecret(target, machine.secret);
  const access = await admin.must(
    'POST',
    '/access',
    accessBody(machine.identityId, resource, ['read', 'write']),
  );
  return {
    target,
    admin,
    machine,
    client: machine,
    resource,
    resourceServerId: String(server['id']),
    accessId: String(access['id']),
    scopes: ['read', 'write'],
    foreignScope: 'delete',
  };
}

/** A scene on any target: seeded where there is an admin API, else the client that the environment names. */
export async function openScene(stem: string): Promise<Scene> {
  const target = currentTarget();
  if (target.admin !== undefined) return seedScene(stem, target);
  if (target.given === undefined) throw new Error('the target names neither an admin API nor a client');
  return {
    target,
    client: target.given.client,
    resource: target.given.resource,
    scopes: target.given.scopes,
  };
}

/** A machine that may call the admin API itself with the given scopes, as any automation would. */
export async function seedOperator(
  admin: Admin,
  stem: string,
  scopes: readonly string[],
): Promise<Machine & { readonly resource: string }> {
  const machine = await makeMachine(admin, freshName(stem));
  rememberSecret(admin.target, machine.secret);
  const resource = (admin.target.admin as NonNullable<Target['admin']>).resource;
  await admin.must('POST', '/access', accessBody(machine.identityId, resource, scopes));
  return { ...machine, resource };
}
