import type { AdminClient, OperationId } from '@countersign/admin-api';
import type { Host } from '../host.ts';
import { failureOf } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { networkFailure } from '../network-failure.ts';
import { trustedFetch } from './trusted-fetch.ts';
import { type AuthorityAddress, type ConnectionFlags, resolveAuthority, resolveCaller } from './settings.ts';

/** The fetch for an authority: the host's own, one that knows its CA, or the platform's. */
export function fetchFor(
  host: Pick<Host, 'fetch'>,
  authority: Pick<AuthorityAddress, 'caFile'>,
): typeof fetch {
  return host.fetch ?? (authority.caFile === undefined ? fetch : trustedFetch(authority.caFile));
}

/** The admin API seen as a table: for code that is the same for every operation. */
export interface AdminTable {
  call(
    id: OperationId,
    input: TableInput,
  ): Promise<{ readonly body: unknown; readonly etag: string | undefined }>;
  preview(id: OperationId, input: TableInput): Promise<unknown>;
  each(id: OperationId, input: TableInput): AsyncIterable<unknown>;
}

export interface TableInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
}

export interface AdminConnection {
  readonly authority: AuthorityAddress;
  readonly clientId: string;
  readonly client: AdminClient;
  /** The same client without the types of each operation. */
  readonly table: AdminTable;
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/**
 * Opens the admin API: its token is an ordinary one of its own authority, asked for with client credentials. The
 * libraries are loaded here and not earlier, because `--help` needs none of them.
 */
export async function openAdmin(
  host: Pick<Host, 'env' | 'cwd' | 'stdin' | 'fetch'>,
  flags: ConnectionFlags,
): Promise<AdminConnection> {
  const authority = resolveAuthority(host, flags);
  const caller = await resolveCaller(host, flags, authority);
  const send = fetchFor(host, authority);
  const [{ createAdminClient }, { createClient }] = await Promise.all([
    import('@countersign/admin-api'),
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
    table: client as unknown as AdminTable,
    fetch: send,
    close: () => tokens.close(),
  };
}

/** Opens the admin API for as long as `work` takes. */
export async function withAdmin<T>(
  host: Pick<Host, 'env' | 'cwd' | 'stdin' | 'fetch'>,
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
