import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Actor, Changes } from '../audit/change.ts';
import type { Clock } from '../clock.ts';
import type { RandomBytes } from '../ids.ts';
import type { Signer } from '../keys/signer.ts';
import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Storage } from '../storage/storage.ts';
import { encryptPrivateKey, IV_BYTES, SALT_BYTES } from '../x509/encrypted-private-key.ts';
import { AuthorityRefused } from './authority-refused.ts';
import { replaceWith } from './replace-authority.ts';

export interface RootOfflineDeps {
  readonly storage: Pick<Storage, 'certificateAuthorities' | 'scrub'>;
  readonly changes: Changes;
  readonly actor: Actor;
  readonly signer: Pick<Signer, 'reveal'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** The root, as its holder keeps it. */
export interface ExportedRoot {
  readonly id: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM, `ENCRYPTED PRIVATE KEY`. */
  readonly key: string;
}

export interface TakenOffline {
  readonly id: string;
  /** Whether its key had gone before: then nothing was exported. */
  readonly before: boolean;
}

/**
 * Gives the key of the root to whoever keeps it and takes it away from here: `keep` has put it where it is safe when it returns, and only
 * then it goes. With `dryRun` it is said what would be done. Run again, what was removed is wiped again. Throws `AuthorityRefused`.
 */
export async function takeRootOffline(
  deps: RootOfflineDeps,
  asked: {
    readonly passphrase: string;
    readonly dryRun: boolean;
    readonly keep: (root: ExportedRoot) => void;
  },
): Promise<TakenOffline> {
  const live = await deps.storage.certificateAuthorities.live();
  const root = live.find(
    ({ role, state }) => role === 'root' && (state === 'active' || state === 'retiring'),
  );
  if (root === undefined) throw new AuthorityRefused('no_root_key');
  const before = root.sealedPrivateKey === undefined;
  if (!before) {
    const now = deps.clock.now();
    if (!live.some((each) => issues(each, now))) throw new AuthorityRefused('no_issuing_authority');
    if (asked.dryRun) return { id: root.id, before };
    asked.keep(exported(deps, root, asked.passphrase));
    await deps.changes.run(deps.actor, async (stores, tell) => {
      const change = { sealedPrivateKey: undefined };
      await replaceWith(deps, stores, tell, root, change, 'taken_offline');
    });
  }
  if (!asked.dryRun) await deps.storage.scrub();
  return { id: root.id, before };
}

function issues(
  { role, state, sealedPrivateKey, notAfter }: CertificateAuthorityRecord,
  now: number,
): boolean {
  return role === 'issuing' && state === 'active' && sealedPrivateKey !== undefined && (notAfter ?? 0) > now;
}

function exported(
  { signer, random }: RootOfflineDeps,
  { id, alg, sealedPrivateKey, certificate }: CertificateAuthorityRecord,
  passphrase: string,
): ExportedRoot {
  const own = signer.reveal(alg, id, sealedPrivateKey ?? '');
  const key = encryptPrivateKey(own, passphrase, { salt: random(SALT_BYTES), iv: random(IV_BYTES) });
  // What could not be opened again would be lost in a moment.
  if (!publicPart(createPrivateKey({ key, passphrase })).equals(publicPart(own)))
    throw new TypeError('a key that was encrypted here is another one when it is opened');
  return { id, key, certificate: certificate ?? '' };
}

function publicPart(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}
