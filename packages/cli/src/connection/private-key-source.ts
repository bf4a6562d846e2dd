import { createPrivateKey } from 'node:crypto';
import { resolve } from 'node:path';
import type { PrivateKey } from '@countersign/client';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { textFile } from '../named-file.ts';
import type { NamedFile } from './secret-source.ts';

/**
 * A private key from a file, as PEM or JWK: it signs assertions here and never leaves the machine.
 * @throws CommandFailure `usage`
 */
export function readPrivateKey(host: Pick<Host, 'cwd'>, { value: file, from }: NamedFile): PrivateKey {
  const path = resolve(host.cwd, file);
  const text = textFile(host, file, from);
  try {
    if (!text.trimStart().startsWith('{')) return createPrivateKey(text);
    const jwk = JSON.parse(text) as Exclude<PrivateKey, string>;
    createPrivateKey({ key: jwk as never, format: 'jwk' });
    return jwk;
  } catch {
    // What the error says may repeat a part of the key.
    throw usageError(
      `${path} holds no private key that can be read.`,
      'Give it as PEM without a passphrase, or as a JSON Web Key.',
    );
  }
}
