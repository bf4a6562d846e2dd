import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Stores } from '../storage/storage.ts';
import {
  asRoot,
  belowRoot,
  ISSUING_MS,
  type MakeAuthorityDeps,
  pendingAuthority,
  type Tell,
} from './make-authority.ts';
import { authorityView } from './view.ts';

/** An issuing authority with less than this before it gets a successor: longer than any certificate it may have signed. */
export const RENEW_BEFORE_MS: number = ISSUING_MS / 3;

/**
 * Brings the authorities to where they should be, in the caller's transaction: a root, and one below it that issues and has time
 * before it. Where the root's key is elsewhere nothing is made: somebody comes with it. Idempotent; two nodes at once end in one
 * `unique_conflict` or `version_conflict`.
 */
export async function rotateAuthorities(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
): Promise<void> {
  const now = deps.clock.now();
  const live = await stores.certificateAuthorities.live();
  for (const each of live) if (hasEnded(each, now)) await end(deps, stores, tell, each);
  const active = live.find(({ role, state }) => role === 'issuing' && state === 'active');
  if (active !== undefined && (active.notAfter ?? 0) - now > RENEW_BEFORE_MS) return;
  const root = await rootOf(deps, stores, tell, live);
  if (root === undefined) return;
  if (active !== undefined) await replaceWith(deps, stores, tell, active, { state: 'retiring' }, 'retiring');
  const made = belowRoot(deps, await pendingAuthority(deps, 'issuing', root.alg), root);
  await stores.certificateAuthorities.insert(made);
  tell({ type: 'certificate_authority.created', resource: made.id, after: authorityView(made) });
}

/** The root that signs; the very first one is made. Undefined: there was one, and its key is elsewhere. */
async function rootOf(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  live: readonly CertificateAuthorityRecord[],
): Promise<CertificateAuthorityRecord | undefined> {
  const now = deps.clock.now();
  const usable = live.find(
    ({ role, state, sealedPrivateKey, notAfter }) =>
      role === 'root' && state === 'active' && sealedPrivateKey !== undefined && (notAfter ?? 0) > now,
  );
  if (usable !== undefined || live.length > 0) return usable;
  const made = asRoot(deps, await pendingAuthority(deps, 'root', 'ES256'));
  await stores.certificateAuthorities.insert(made);
  tell({ type: 'certificate_authority.created', resource: made.id, after: authorityView(made) });
  return made;
}

function hasEnded({ notAfter }: CertificateAuthorityRecord, now: number): boolean {
  return notAfter !== undefined && notAfter < now;
}

/** Its last certificate has ended with it: there is nothing left to sign. */
async function end(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
): Promise<void> {
  await replaceWith(deps, stores, tell, record, { state: 'retired', sealedPrivateKey: undefined }, 'retired');
}

export async function replaceWith(
  { clock }: Pick<MakeAuthorityDeps, 'clock'>,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
  record: CertificateAuthorityRecord,
  change: Partial<CertificateAuthorityRecord>,
  verb: string,
): Promise<CertificateAuthorityRecord> {
  const next = { ...record, ...change, updatedAt: clock.now(), version: record.version + 1 };
  await stores.certificateAuthorities.replace(next);
  tell({
    type: `certificate_authority.${verb}`,
    resource: record.id,
    before: authorityView(record),
    after: authorityView(next),
  });
  return next;
}
