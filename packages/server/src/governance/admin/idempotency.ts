import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import type { Seal } from '../../keys/seal.ts';
import type { SecretHash } from '../../registry/secret-hash.ts';
import { StorageError } from '../../storage/errors.ts';
import type { IdempotencyStore } from '../../storage/idempotency.ts';
import type { Storage } from '../../storage/storage.ts';
import { ProblemError } from './problem.ts';

export interface IdempotencyDeps {
  readonly storage: Pick<Storage, 'idempotency'>;
  /** Answers may carry a secret that is shown once: what is remembered is sealed. */
  readonly seal: Seal;
  /** Under a key that is not in the database. */
  readonly secretHash: Pick<SecretHash, 'digest'>;
  readonly clock: Clock;
  /** Brings changes that are made but not yet in the audit log there. Rejects `AuditUnavailable`. */
  readonly deliverOutbox: () => Promise<unknown>;
}

/** Remembers the answer: in the transaction of the change it answers. */
export type Remember = (
  stores: { readonly idempotency: Pick<IdempotencyStore, 'insert'> },
  response: HttpResponse,
) => Promise<void>;

export interface Idempotency {
  /** Runs `work` once per caller and key; a repeat within 24 hours gets the first answer. */
  once(
    principal: string,
    key: string,
    request: HttpRequest,
    work: (remember: Remember) => Promise<HttpResponse>,
  ): Promise<HttpResponse>;
}

const KEPT_MS = 86_400_000;

export function createIdempotency(deps: IdempotencyDeps): Idempotency {
  const inFlight = new Set<string>();

  async function replay(
    principal: string,
    key: string,
    fingerprint: string,
  ): Promise<HttpResponse | undefined> {
    const known = await deps.storage.idempotency.find(principal, key, deps.clock.now());
    if (known === undefined) return undefined;
    if (known.fingerprint !== fingerprint) throw new ProblemError('idempotency_mismatch');
    // The first answer may have been "the audit log is down": the change is made, its event must be there first.
    await deps.deliverOutbox();
    const plain = deps.seal.open(known.response, contextOf(principal, key));
    const { headers, body } = JSON.parse(Buffer.from(plain).toString('utf8')) as Remembered;
    return { status: known.status, headers, body };
  }

  return {
    async once(principal, sent, request, work) {
      const fingerprint = fingerprintOf(request);
      const key = deps.secretHash.digest(JSON.stringify(['idempotency', principal, sent]));
      if (inFlight.has(key)) throw new ProblemError('idempotency_in_flight');
      inFlight.add(key);
      try {
        const known = await replay(principal, key, fingerprint);
        if (known !== undefined) return known;
        return await work(async (stores, response) => {
          const { headers, body } = response;
          const plain = Buffer.from(JSON.stringify({ headers, body } satisfies Remembered), 'utf8');
          await stores.idempotency.insert({
            principal,
            key,
            fingerprint,
            status: response.status,
            response: deps.seal.seal(plain, contextOf(principal, key)),
            expiresAt: deps.clock.now() + KEPT_MS,
          });
        });
      } catch (error) {
        if (!isTaken(error)) throw error;
        // Another node was faster by a moment: its answer is the answer.
        const known = await replay(principal, key, fingerprint);
        if (known === undefined) throw new ProblemError('idempotency_in_flight');
        return known;
      } finally {
        inFlight.delete(key);
      }
    },
  };
}

interface Remembered {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof StorageError && error.fault === 'unique_conflict' && error.detail === 'idempotency_key'
  );
}

function contextOf(principal: string, key: string): string {
  return `idempotency/${principal}/${key}`;
}

function fingerprintOf(request: HttpRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.path}?${request.query}\n`)
    .update(request.body)
    .digest('base64url');
}
