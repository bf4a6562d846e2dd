import type { Actor } from '../audit/change.ts';
import type { Party } from '../storage/approvals.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import { partyOf } from './approval/party.ts';
import type { RuleDeps, Tell } from './change-rules.ts';
import { revokeCredential } from './credential.ts';
import { credentialFault } from './effective-access.ts';
import { type Moving, moveIdentity } from './lifecycle.ts';
import { RegistryRefusal } from './refusal.ts';
import { sameHuman } from './same-human.ts';

/** How long the first person's word stands. */
export const AGREED_FOR_MS: number = 86_400_000;
/** Orders that are looked through for a later one; more of them end the agreement as one would. */
const MOST_ORDERS = 1000;

interface Agreement {
  readonly by: Party;
  readonly at: number;
  /** The newest cut-off there was. */
  readonly cursor: number;
}

/**
 * Puts an identity that was stopped for security back to work, in the caller's transaction: the first person's word takes away
 * every credential that it had, and the second, somebody else's, within a day, needs one that was made since. The same record
 * after the first. Throws `needs_people` for a machine and for the same human twice, `illegal_transition` without a new credential.
 */
export async function resumeAfterSecurity(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  moving: Moving & { readonly actor: Actor },
): Promise<IdentityRecord> {
  if (moving.actor.person === undefined) {
    throw new RegistryRefusal('needs_people', 'it was stopped for security: going on takes two people');
  }
  const agreement = await agreementOn(deps, stores, record);
  if (agreement === undefined) return await agree(deps, stores, tell, record, moving);
  if (await sameHuman(stores, agreement.by, partyOf(moving.actor))) {
    throw new RegistryRefusal('needs_people', 'the second word has to be somebody else’s');
  }
  await requireNewCredential(deps, stores, record, agreement);
  const resumed = await moveIdentity(deps, stores, tell, record, { ...moving, twoAgreed: true });
  await stores.settings.set(settingOf(record), '');
  return resumed;
}

async function agree(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  { actor, reason }: Moving & { readonly actor: Actor },
): Promise<IdentityRecord> {
  if (record.state !== 'suspended') {
    throw new RegistryRefusal(
      'illegal_transition',
      `to resume an identity it has to be suspended, and this one is ${record.state}`,
    );
  }
  for (const credential of await stores.credentials.ofIdentity(record.id)) {
    await revokeCredential(deps, stores, tell, record, credential);
  }
  const agreement: Agreement = {
    by: partyOf(actor),
    at: deps.clock.now(),
    cursor: await stores.cutoffs.head(),
  };
  await stores.settings.set(settingOf(record), JSON.stringify(agreement));
  tell({ type: 'identity.resume_agreed', resource: record.id, reason });
  return record;
}

/** Undefined also when it is too old, or the identity was cut off once more since. */
async function agreementOn(
  { clock }: RuleDeps,
  stores: Pick<Stores, 'settings' | 'cutoffs'>,
  record: IdentityRecord,
): Promise<Agreement | undefined> {
  const text = await stores.settings.get(settingOf(record));
  if (text === undefined || text === '') return undefined;
  const agreement = JSON.parse(text) as Agreement;
  if (clock.now() - agreement.at > AGREED_FOR_MS) return undefined;
  const since = await stores.cutoffs.after(agreement.cursor, MOST_ORDERS);
  const again = since.some(({ kind, target }) => kind === 'identity' && target === record.clientId);
  return again || since.length === MOST_ORDERS ? undefined : agreement;
}

async function requireNewCredential(
  { clock }: RuleDeps,
  stores: Pick<Stores, 'credentials'>,
  record: IdentityRecord,
  { at }: Agreement,
): Promise<void> {
  const now = clock.now();
  const held = await stores.credentials.ofIdentity(record.id);
  if (held.some((each) => each.createdAt >= at && credentialFault(each, now) === undefined)) return;
  throw new RegistryRefusal(
    'illegal_transition',
    'it needs a new credential first: what it had may be in wrong hands',
  );
}

function settingOf({ id }: IdentityRecord): string {
  return `security_resume:${id}`;
}
