import { createHash } from 'node:crypto';
import { OPAQUE_TOKEN_ALGORITHM, type SigningKeyRecord } from '../storage/signing-keys.ts';
import type { SealingKey } from './keystore.ts';
import type { Signer } from './signer.ts';

/** The keys for opaque tokens, opened. */
export interface SealingKeys {
  readonly active: SealingKey | undefined;
  readonly byTag: ReadonlyMap<number, SealingKey>;
}

/** Opens those among `live`; what `before` has open is taken over. Throws when one cannot be opened. */
export function openSealingKeys(
  signer: Pick<Signer, 'open'>,
  live: readonly SigningKeyRecord[],
  before: SealingKeys,
): SealingKeys {
  const byTag = new Map<number, SealingKey>();
  let active: SealingKey | undefined;
  for (const record of live) {
    if (record.alg !== OPAQUE_TOKEN_ALGORITHM) continue;
    const tag = tagOf(record.kid);
    const known = before.byTag.get(tag);
    const key = known?.kid === record.kid ? known : open(signer, record, tag);
    byTag.set(tag, key);
    if (record.state === 'active') active = key;
  }
  return { active, byTag };
}

function open(signer: Pick<Signer, 'open'>, record: SigningKeyRecord, tag: number): SealingKey {
  const handle = signer.open(record.alg, record.kid, record.sealedPrivateKey);
  return {
    kid: record.kid,
    tag,
    derive: (purpose) => Buffer.from(handle.sign(purpose), 'base64url'),
  };
}

function tagOf(kid: string): number {
  return createHash('sha256').update(kid).digest().readUInt32BE();
}
