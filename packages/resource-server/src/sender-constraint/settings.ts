// What createVerifier is told about proofs of possession, read once: RFC 9449 §4.3 (htu), §9 (nonces), §11.1 (single use).
import {
  type DpopOptions,
  badOption,
  refuseUnknown,
  VerifierOptionError,
  type VerifierOptions,
} from '../options.ts';
import type { UsedProofs } from './used-proofs.ts';

export type SenderConstraintWanted = 'none' | 'any' | 'dpop' | 'mtls';

export interface DpopSettings {
  /** Without a slash at the end; a path of a request comes behind it. Empty: proofs cannot be checked. */
  readonly publicUrls: readonly string[];
  readonly nonceKey: Uint8Array | undefined;
  /** Undefined: this process remembers as many as it does by default. */
  readonly usedProofs: UsedProofs | { readonly limit: number } | undefined;
}

const KNOWN: readonly unknown[] = ['none', 'any', 'dpop', 'mtls'];

/** @throws VerifierOptionError */
export function readSenderConstraint(
  wanted: VerifierOptions['senderConstraint'] = 'none',
  { publicUrls }: DpopSettings,
): SenderConstraintWanted {
  if (!KNOWN.includes(wanted)) throw badOption('senderConstraint', `give one of ${KNOWN.join(' ')}`);
  if ((wanted === 'any' || wanted === 'dpop') && publicUrls.length === 0) {
    throw new VerifierOptionError('missing_option', 'publicUrl', 'say where callers reach this API');
  }
  return wanted;
}

const LEAST_KEY = 32;

/** @throws VerifierOptionError */
export function readDpop(
  dpop: DpopOptions | undefined,
  publicUrl: string | undefined,
  audience: readonly string[],
): DpopSettings {
  const { nonces = false, usedProofs, ...unknown } = dpop ?? {};
  refuseUnknown(unknown, 'dpop.');
  const nonceKey =
    nonces === true
      ? crypto.getRandomValues(new Uint8Array(LEAST_KEY))
      : nonces === false
        ? undefined
        : nonces.key;
  if (nonces !== false && (!(nonceKey instanceof Uint8Array) || nonceKey.length < LEAST_KEY)) {
    throw badOption('dpop.nonces', `give a key of ${LEAST_KEY} bytes or more`);
  }
  return {
    publicUrls: readPublicUrls(publicUrl, audience),
    nonceKey,
    usedProofs: readUsedProofs(usedProofs),
  };
}

function readUsedProofs(given: DpopOptions['usedProofs']): DpopSettings['usedProofs'] {
  if (given === undefined || 'claim' in given) return given;
  if (Number.isSafeInteger(given.limit) && given.limit > 0) return given;
  throw badOption('dpop.usedProofs', 'give a store, or a limit from 1');
}

function readPublicUrls(given: string | undefined, audience: readonly string[]): readonly string[] {
  if (given === undefined) {
    const origins = audience.filter((name) => /^https?:\/\//i.test(name) && URL.canParse(name));
    return [...new Set(origins.map((name) => new URL(name).origin))];
  }
  if (!/^https?:\/\/[^?#]+$/i.test(given) || !URL.canParse(given)) {
    throw badOption('publicUrl', 'give a web address without query');
  }
  const { origin, pathname } = new URL(given);
  return [`${origin}${pathname.replace(/\/$/, '')}`];
}
