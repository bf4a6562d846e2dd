import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { DoubtfulCertificate } from '../storage/certificates.ts';
import type { Storage } from '../storage/storage.ts';
import { writePem } from '../x509/pem.ts';
import { type RevokedEntry, writeRevocationList } from '../x509/revocation-list-writer.ts';
import type { CertificateAuthority, IssuingAuthority } from './certificate-authority.ts';

/** RFC 5280 §5.1.2.5: until then somebody who fetched a list may go on with it. */
export const LIST_LIFETIME_MS: number = 86_400_000;
/** A list is made anew when it has used up half its time, changed or not. */
const REFRESH_MS = LIST_LIFETIME_MS / 2;
/** For how long a list is answered without a look at the database while nobody can say whether it has changed. */
const LOOK_EVERY_MS = 1000;
/** Entries of one list, some 40 bytes each. Beyond it the authority itself is to be replaced. */
export const MOST_ENTRIES = 20_000;

export interface PublishedList {
  readonly der: Uint8Array;
  /** The same, RFC 7468 §6. */
  readonly pem: string;
  /** Of what it says, whichever node made it and when. */
  readonly content: string;
  /** Of its bytes. */
  readonly etag: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** The revocation list of each issuing authority, made when it is asked for and something has changed. */
export interface RevocationLists {
  /** Undefined: there is no such authority, or its key is elsewhere. Rejects `unavailable`. */
  read(authorityId: string): Promise<PublishedList | undefined>;
  close(): void;
}

interface Kept {
  readonly list: PublishedList;
  readonly entries: string;
  lookedAt: number;
  fresh: boolean;
}

export function createRevocationLists(deps: {
  readonly storage: Pick<Storage, 'certificates' | 'onChange' | 'coherent'>;
  readonly ca: Pick<CertificateAuthority, 'byId'>;
  readonly clock: Clock;
}): RevocationLists {
  const kept = new Map<string, Kept>();
  const stop = deps.storage.onChange((change) => {
    if (change.kind === 'identity' || change.kind === 'all' || change.kind === 'certificate_authorities')
      for (const each of kept.values()) each.fresh = false;
  });

  return {
    async read(authorityId) {
      const authority = deps.ca.byId(authorityId);
      if (authority?.signer === undefined) return undefined;
      const now = deps.clock.now();
      const before = kept.get(authorityId);
      if (before !== undefined && isGood(before, now, deps.storage.coherent())) return before.list;
      const entries = await entriesOf(deps.storage, authorityId, now);
      const told = JSON.stringify(entries);
      const same = before?.entries === told && now - before.list.thisUpdate < REFRESH_MS;
      const list = same ? before.list : make(authority, entries, digestOf(told), now);
      kept.set(authorityId, { list, entries: told, lookedAt: now, fresh: true });
      return list;
    },
    close: stop,
  };
}

function isGood({ list, fresh, lookedAt }: Kept, now: number, coherent: boolean): boolean {
  if (now - list.thisUpdate >= REFRESH_MS) return false;
  return fresh && (coherent || (now >= lookedAt && now - lookedAt < LOOK_EVERY_MS));
}

async function entriesOf(
  { certificates }: Pick<Storage, 'certificates'>,
  authorityId: string,
  now: number,
): Promise<readonly RevokedEntry[]> {
  // RFC 5280 §3.3: whoever ended while revoked is on one list more.
  const doubtful = await certificates.doubtful(authorityId, now - LIST_LIFETIME_MS, MOST_ENTRIES);
  return doubtful.flatMap((each) => entryOf(each, now) ?? []);
}

/** What stops the machine stops its certificates; what may come back is on hold (RFC 5280 §5.3.1). */
function entryOf(each: DoubtfulCertificate, now: number): RevokedEntry | undefined {
  const { serialNumber, revoked } = each;
  if (revoked !== undefined) return { serialNumber, at: revoked.at, reason: revoked.reason };
  if (each.credentialState !== 'active') {
    const reason = each.credentialState === 'suspended' ? 'certificate_hold' : 'unspecified';
    return { serialNumber, at: each.credentialUpdatedAt, reason };
  }
  const at = each.identityStateSince;
  switch (each.identityState) {
    case 'suspended':
      return { serialNumber, at, reason: 'certificate_hold' };
    case 'decommissioned':
    case 'rejected':
    case 'lapsed':
      return { serialNumber, at, reason: 'cessation_of_operation' };
    case 'decommissioning':
      // It works until it is stopped, and until its end it may be brought back. A brown-out lasts minutes, a list a day.
      return each.identityStopAt !== undefined && each.identityStopAt <= now
        ? { serialNumber, at: each.identityStopAt, reason: 'certificate_hold' }
        : undefined;
    // approved: its first proof puts it to work.
    default:
      return undefined;
  }
}

function make(
  authority: IssuingAuthority,
  entries: readonly RevokedEntry[],
  content: string,
  now: number,
): PublishedList {
  if (authority.signer === undefined) throw new TypeError('the key of the authority is not here');
  const thisUpdate = Math.floor(now / 1000) * 1000;
  const nextUpdate = thisUpdate + LIST_LIFETIME_MS;
  const der = writeRevocationList(
    {
      issuer: authority.certificate.subjectBytes,
      keyIdentifier: authority.keyIdentifier,
      // Higher on whichever node it is made, as long as their clocks are.
      number: now,
      thisUpdate,
      nextUpdate,
      entries,
    },
    authority.signer,
  );
  const etag = `"${digestOf(der)}"`;
  return { der, pem: writePem(der, 'X509 CRL'), content, etag, thisUpdate, nextUpdate };
}

function digestOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url').slice(0, 27);
}
