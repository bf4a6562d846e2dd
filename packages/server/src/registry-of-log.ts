import type { LoggedEvent } from './audit/event.ts';
import type { AuditSink } from './audit/sink.ts';
import type { SigningKeyState } from './storage/signing-keys.ts';
import type { Storage } from './storage/storage.ts';

/** Whether the registry is the one that the audit log tells of: neither another one nor an earlier state of it. */

/** The registry holds nothing, but the log tells of what was once in it. */
export class RegistryLost extends Error {
  constructor() {
    super(
      'the registry is empty, but the audit log has events: restore the registry from its copy; to begin anew, move ' +
        'the audit folder and audit-index.db away (with PostgreSQL: the rows of audit_events)',
    );
    this.name = 'RegistryLost';
  }
}

/** The registry lacks changes that were made, and acknowledged, as the log knows. */
export class RegistryBehind extends Error {
  constructor(lost: readonly LoggedEvent[]) {
    const newest = lost[0]?.seq ?? 0;
    const named = lost
      .slice(0, MOST_NAMED)
      .map(({ type, resource, seq }) => `${type} ${resource} (event ${seq})`);
    const more = lost.length > named.length ? ` and ${lost.length - named.length} more` : '';
    super(
      `the registry lacks changes that the audit log has: ${named.join(', ')}${more}. Was its file copied without the one ` +
        'ending in -wal, or an old copy put back? Restore both from one copy. To go on with the older registry, and give ' +
        `those changes up, cut-offs among them, set lost-changes-until (COUNTERSIGN_LOST_CHANGES_UNTIL) to ${newest}`,
    );
    this.name = 'RegistryBehind';
  }
}

const MOST_NAMED = 5;
/** Records that are looked up at a start; each is a read by id. */
const MOST_RECORDS = 200;

type Registry = Pick<
  Storage,
  | 'signingKeys'
  | 'svidKeys'
  | 'settings'
  | 'identities'
  | 'credentials'
  | 'access'
  | 'resourceServers'
  | 'trustedIssuers'
  | 'cutoffs'
>;

/**
 * Throws `RegistryLost` rather than begin another registry beside the log of one that is gone, and `RegistryBehind` rather
 * than go on with an earlier state of it, unless what is lacking was logged up to event `lostUntil`. Of changes only the
 * last are compared: a start takes as long whatever the log holds.
 */
export async function requireRegistryOfLog(
  registry: Registry,
  sink: Pick<AuditSink, 'find' | 'newestChanges'>,
  lostUntil: number,
): Promise<void> {
  if (await isNew(registry)) {
    const [event] = await sink.find({}, { afterSeq: 0, limit: 1 });
    // Asked again: another node may have begun meanwhile, and what it made was there before its first event.
    if (event !== undefined && (await isNew(registry))) throw new RegistryLost();
    return;
  }
  const lost: LoggedEvent[] = [];
  for (const event of (await sink.newestChanges?.(MOST_RECORDS)) ?? []) {
    if (event.seq > lostUntil && (await lacks(registry, event))) lost.push(event);
  }
  if (lost.length > 0) throw new RegistryBehind(lost);
}

/** The first start makes the keys before all else. */
async function isNew({
  signingKeys,
  settings,
}: Pick<Registry, 'signingKeys' | 'settings'>): Promise<boolean> {
  return (await signingKeys.live()).length === 0 && (await settings.get('built_in_identity')) === undefined;
}

interface After {
  readonly version?: number;
  readonly kind?: string;
  readonly state?: SigningKeyState;
}

/** In the order in which a key comes to them. */
const KEY_STATES: readonly SigningKeyState[] = ['next', 'active', 'retiring', 'retired', 'compromised'];

/** Records are never deleted: what was once made is there, in that version or a later one. */
async function lacks(registry: Registry, { type, resource = '', detail }: LoggedEvent): Promise<boolean> {
  const noun = type.slice(0, type.indexOf('.'));
  const { after } = detail as { readonly after: After };
  if (noun === 'key') {
    const key = (await registry.signingKeys.byKid(resource)) ?? (await registry.svidKeys.byKid(resource));
    return key === undefined || KEY_STATES.indexOf(key.state) < KEY_STATES.indexOf(after.state ?? 'next');
  }
  // Orders about single tokens are swept.
  if (type === 'cutoff.ordered') {
    return after.kind !== 'token' && (await registry.cutoffs.byId(resource)) === undefined;
  }
  if (!Object.hasOwn(VERSIONED, noun) || typeof after.version !== 'number') return false;
  const record = await registry[VERSIONED[noun as keyof typeof VERSIONED]].byId(resource);
  return record === undefined || record.version < after.version;
}

/** Nouns of events about records that have a version, which `after` names, and where they are. */
const VERSIONED = {
  identity: 'identities',
  credential: 'credentials',
  access: 'access',
  resource_server: 'resourceServers',
  trusted_issuer: 'trustedIssuers',
} as const;
