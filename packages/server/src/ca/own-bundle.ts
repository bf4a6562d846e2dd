// The trust bundle of this deployment: SPIFFE_Trust_Domain_and_Bundle.md §4 of the SPIFFE specification.
import { X509Certificate } from 'node:crypto';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { Clock } from '../clock.ts';
import type { Keystore } from '../keys/keystore.ts';
import { StorageError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';

export interface OwnBundleDeps {
  /** Keys of JWT-SVIDs and of nothing else. */
  readonly svidKeystore: Pick<Keystore, 'jwks'> & { reload(): Promise<void> };
  readonly ca: Pick<CertificateAuthority, 'roots' | 'reload'>;
  readonly storage: Pick<Storage, 'onChange' | 'coherent' | 'svidKeys' | 'certificateAuthorities'>;
  readonly clock: Clock;
  /** Seconds after which others are to ask again. */
  readonly refreshHint: number;
}

export interface PublishedBundle {
  /** JSON. */
  readonly body: string;
  /** Of its state. */
  readonly etag: string;
  readonly lookedAt: number;
}

export interface OwnBundle {
  /** As it is now. Rejects `unavailable`. */
  read(): Promise<PublishedBundle>;
  close(): void;
}

/** SPIFFE_Federation.md §4.1: a key is published three to five times as long as that before it signs. */
const HINTS_BEFORE_USE = 5;
/** Seconds. What was taken out is gone everywhere after so long, at the latest. */
const LONGEST_HINT = 300;
/** Others may be changing the keys at this moment: so often is looked anew. */
const MOST_ROUNDS = 10;
const LOOK_EVERY_MS = 1000;

/** @param keyLead seconds for which a key is published before it signs */
export function bundleRefreshHint(keyLead: number): number {
  return Math.max(1, Math.min(LONGEST_HINT, Math.floor(keyLead / HINTS_BEFORE_USE)));
}

export function createOwnBundle(deps: OwnBundleDeps): OwnBundle {
  let known: PublishedBundle | undefined;
  let making: Promise<PublishedBundle> | undefined;
  const close = deps.storage.onChange(({ kind }) => {
    if (kind !== 'signing_keys' && kind !== 'certificate_authorities' && kind !== 'all') return;
    // Also of what is being made: it may have been read before.
    known = undefined;
    making = undefined;
  });

  return {
    async read() {
      if (known !== undefined && isGood(known, deps)) return known;
      making ??= publish(deps);
      const mine = making;
      try {
        const made = await mine;
        if (making === mine) known = made;
        return made;
      } finally {
        if (making === mine) making = undefined;
      }
    },
    close,
  };
}

/** While nobody can say whether the keys have changed it is looked, once a second. */
function isGood({ lookedAt }: PublishedBundle, { storage, clock }: OwnBundleDeps): boolean {
  const age = clock.now() - lookedAt;
  return storage.coherent() || (age >= 0 && age < LOOK_EVERY_MS);
}

/** As it is in the database, with the number of that state: two bundles of one number would be two truths. */
async function publish(deps: OwnBundleDeps): Promise<PublishedBundle> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const lookedAt = deps.clock.now();
    const sequence = await sequenceOf(deps);
    await Promise.all([deps.svidKeystore.reload(), deps.ca.reload()]);
    const [jwks, roots] = [deps.svidKeystore.jwks(), deps.ca.roots()];
    if (sequence !== (await sequenceOf(deps))) continue;
    const body = JSON.stringify({
      keys: [...roots.map(x509Key), ...jwks.keys.map(jwtKey)],
      spiffe_sequence: sequence,
      spiffe_refresh_hint: deps.refreshHint,
    });
    return { body, etag: `"${sequence}"`, lookedAt };
  }
  throw new StorageError('unavailable', 'the keys are being changed');
}

/** §4.1.1: higher after every change, the same on every node. */
async function sequenceOf({ storage }: Pick<OwnBundleDeps, 'storage'>): Promise<number> {
  const counts = [storage.svidKeys.writes(), storage.certificateAuthorities.writes()];
  return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
}

/** X509-SVID.md §6.1: the certificate alone, without `kid`. */
function x509Key(pem: string): object {
  const certificate = new X509Certificate(pem);
  const jwk = certificate.publicKey.export({ format: 'jwk' });
  return { ...jwk, use: 'x509-svid', x5c: [certificate.raw.toString('base64')] };
}

/** SPIFFE_Trust_Domain_and_Bundle.md §4.2: what names it, and no more than the key itself. */
function jwtKey({ alg: _alg, ...jwk }: Readonly<Record<string, string>>): object {
  return { ...jwk, use: 'jwt-svid' };
}
