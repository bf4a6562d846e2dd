import type { AdminClient } from '@countersign/admin-api';
import type { Host } from '../host.ts';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { networkFailure } from '../network-failure.ts';
import type { AdminTable } from './admin-table.ts';
import { trustedFetch } from './trusted-fetch.ts';
import { readSession, type Session } from '../session/session-file.ts';
import {
  type AuthorityAddress,
  type ConnectionFlags,
  namesCaller,
  resolveAuthority,
  resolveCaller,
} from './settings.ts';

/** The fetch for an authority: the host's own, one that knows its CA, or the platform's. */
export function fetchFor(
  host: Pick<Host, 'fetch'>,
  authority: Pick<AuthorityAddress, 'caFile' | 'caFrom'>,
): typeof fetch {
  return host.fetch ?? trustedFetch(authority);
}

export interface AdminConnection {
  readonly authority: AuthorityAddress;
  /** Undefined: a person who signed in. */
  readonly clientId: string | undefined;
  readonly client: AdminClient;
  /** The same for what the command line names, by whatever people call it. Not for asking whether something is there. */
  readonly named: AdminClient;
  /** That, without the types of each operation. */
  readonly table: AdminTable;
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

export type AdminHost = Pick<Host, 'env' | 'cwd' | 'stdin' | 'fetch' | 'now'>;

/**
 * Opens the admin API: as the person who signed in, unless a machine is named. Else its token is an ordinary one of its own authority, asked for with client credentials. The
 * libraries are loaded here and not earlier, because `--help` needs none of them.
 */
export async function openAdmin(host: AdminHost, flags: ConnectionFlags): Promise<AdminConnection> {
  const authority = resolveAuthority(host, flags);
  const session = namesCaller(host, flags) ? undefined : readSession(host, authority.issuer);
  if (session !== undefined) return await openAsPerson(host, authority, session);
  const caller = await resolveCaller(host, flags, authority);
  const send = fetchFor(host, authority);
  const [{ createAdminClient }, { takingNames }, { createClient }] = await Promise.all([
    import('@countersign/admin-api'),
    import('./by-name.ts'),
    import('@countersign/client'),
  ]);
  const api = `${authority.issuer}/v1`;
  const tokens = createClient({ issuer: authority.issuer, ...caller, resource: api, fetch: send });
  const client = createAdminClient({
    api,
    fetch: send,
    token: async () => (await tokens.token()).accessToken,
  });
  return {
    authority,
    clientId: caller.clientId,
    client,
    ...takingNames(client),
    fetch: send,
    close: () => tokens.close(),
  };
}

/** With a proof of the session's key in each request (RFC 9449 §7.1). */
export async function openAsPerson(
  host: Pick<AdminHost, 'fetch' | 'now'>,
  authority: AuthorityAddress,
  session: Session,
): Promise<AdminConnection> {
  if (Date.parse(session.expires_at) <= host.now()) {
    throw new CommandFailure('denied', `You were signed in until ${session.expires_at}.`, {
      fix: 'Sign in again: countersign login; or go on as a machine: countersign logout',
    });
  }
  const send = fetchFor(host, authority);
  const [{ createAdminClient }, { takingNames }, { proofOf }] = await Promise.all([
    import('@countersign/admin-api'),
    import('./by-name.ts'),
    import('../session/proof.ts'),
  ]);
  const client = createAdminClient({
    api: `${authority.issuer}/v1`,
    fetch: send,
    token: () => Promise.resolve(session.access_token),
    proof: (call) => Promise.resolve(proofOf(session.key, call, Math.floor(host.now() / 1000))),
  });
  return {
    authority,
    clientId: undefined,
    client,
    ...takingNames(client),
    fetch: send,
    close: () => Promise.resolve(),
  };
}

/** Opens the admin API for as long as `work` takes. */
export async function withAdmin<T>(
  host: AdminHost,
  flags: ConnectionFlags,
  work: (admin: AdminConnection) => Promise<T>,
): Promise<T> {
  const admin = await openAdmin(host, flags);
  try {
    return await work(admin);
  } catch (error) {
    throw withAddress(error, admin.authority);
  } finally {
    await admin.close();
  }
}

/** Which authority does not answer; and that a ready file outlives one that was killed. */
function withAddress(error: unknown, authority: AuthorityAddress): unknown {
  const failure = failureOf(error);
  if (failure.kind !== 'unreachable') return error;
  const { issuer, readyFile } = authority;
  const { message, fix } = networkFailure(failure.cause, issuer) ?? failure;
  const stale = `${readyFile?.path} may be of one that has stopped; start it again with: countersign dev`;
  return new CommandFailure('unreachable', message, {
    fix: readyFile === undefined ? fix : stale,
    cause: error,
  });
}
