import { createHash, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import type { RandomBytes } from '../ids.ts';
import type { SettingStore } from '../storage/settings.ts';
import { createSecretFile } from './secret-file.ts';

/**
 * The one secret that is not in the database: everything sealed or hashed there is so under a key derived from it, each
 * purpose under its own.
 */
export interface MasterKey {
  /** 32 bytes for one purpose (HKDF-SHA-256, RFC 5869). */
  derive(purpose: 'seal' | 'secret-hash' | 'dpop-nonce' | 'check'): Uint8Array;
}

/** The message goes on from the name of the file: `does not hold 64 hex digits`. */
export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

const KEY_BYTES = 32;
const CHECK_SETTING = 'master_key_check';

export function masterKeyOf(bytes: Uint8Array): MasterKey {
  if (bytes.length !== KEY_BYTES) throw new MasterKeyError(`is not ${KEY_BYTES} bytes`);
  const key = createSecretKey(bytes);
  return {
    derive: (purpose) => new Uint8Array(hkdfSync('sha256', key, '', `countersign/v1/${purpose}`, KEY_BYTES)),
  };
}

/** Reads the key file (32 bytes as 64 hex digits); makes it (mode 0600) when it is missing and `create` is set. Rejects with `UnreadableFile`. */
export async function loadMasterKey(path: string, create: boolean, random: RandomBytes): Promise<MasterKey> {
  const present = readMasterKey(path);
  if (present !== undefined) return present;
  if (create) {
    const text = `${Buffer.from(random(KEY_BYTES)).toString('hex')}\n`;
    await createSecretFile(path, text).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
  // What is in the file counts, for another start may have been first.
  return masterKeyOf(decode(readConfiguredFile(path)));
}

function readMasterKey(path: string): MasterKey | undefined {
  try {
    return masterKeyOf(decode(readConfiguredFile(path)));
  } catch (error) {
    if (error instanceof UnreadableFile && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function decode(text: string): Uint8Array {
  const hex = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new MasterKeyError('does not hold 64 hex digits');
  return Buffer.from(hex, 'hex');
}

/** Refuses a master key that is not the one this database was begun with: nothing in it could be opened. */
export async function checkMasterKey(key: MasterKey, settings: SettingStore): Promise<void> {
  const mark = createHash('sha256').update(key.derive('check')).digest('base64url');
  if (await settings.setOnce(CHECK_SETTING, mark)) return;
  const known = Buffer.from((await settings.get(CHECK_SETTING)) ?? '');
  const given = Buffer.from(mark);
  if (known.length !== given.length || !timingSafeEqual(known, given)) {
    throw new MasterKeyError('is not the one the database was made with');
  }
}
