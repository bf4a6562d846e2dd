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
import { replaceWith } from './replace-authority.ts';
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
  const known = await stores.certificateAuthorities.live();
  const over = known.filter((each) => hasEnded(each, now) || isLeft(each, known));
  for (const each of over) await end(deps, stores, tell, each);
  const live = known.filter((each) => !over.includes(each));
  const active = live.find(({ role, state }) => role === 'issuing' && state === 'active');
  if (active !== undefined && (active.notAfter ?? 0) - now > RENEW_BEFORE_MS) return;
  const root = known.length === 0 ? await firstRoot(deps, stores, tell) : rootAbove(active, live, now);
  if (root === undefined) return;
  if (active !== undefined) await replaceWith(deps, stores, tell, active, { state: 'retiring' }, 'retiring');
  const made = belowRoot(deps, await pendingAuthority(deps, 'issuing', root.alg), root);
  await stores.certificateAuthorities.insert(made);
  tell({ type: 'certificate_authority.created', resource: made.id, after: authorityView(made) });
}

/**
 * The root that signs the next one: the one that the present one has, or the one there is. Undefined: its key is elsewhere, or those above are
 * not of this deployment, and nobody is made to trust another one by himself.
 */
export function rootAbove(
  active: CertificateAuthorityRecord | undefined,
  live: readonly CertificateAuthorityRecord[],
  now: number,
): CertificateAuthorityRecord | undefined {
  return live.find(
    ({ role, state, sealedPrivateKey, notAfter, certificate }) =>
      role === 'root' &&
      state === 'active' &&
      sealedPrivateKey !== undefined &&
      (notAfter ?? 0) > now &&
      (active === undefined || active.above.endsWith(certificate ?? '')),
  );
}

/** The very first one is made; where there ever was one, none is. */
async function firstRoot(
  deps: MakeAuthorityDeps,
  stores: Pick<Stores, 'certificateAuthorities'>,
  tell: Tell,
): Promise<CertificateAuthorityRecord | undefined> {
  if (await stores.certificateAuthorities.any()) return undefined;
  const made = asRoot(deps, await pendingAuthority(deps, 'root', 'ES256'));
  await stores.certificateAuthorities.insert(made);
  tell({ type: 'certificate_authority.created', resource: made.id, after: authorityView(made) });
  return made;
}

/** A root that has been given up, once nothing stands below it any more. */
function isLeft(root: CertificateAuthorityRecord, live: readonly CertificateAuthorityRecord[]): boolean {
  return (
    root.role === 'root' &&
    root.state === 'retiring' &&
    !live.some(({ role, above }) => role === 'issuing' && above.endsWith(root.certificate ?? ''))
  );
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
