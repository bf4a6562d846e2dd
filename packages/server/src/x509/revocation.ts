// Who is revoked: RFC 5280 §6.3, from lists that were given and never from an address inside a certificate.
import type { Certificate } from './certificate.ts';
import { KEY_USAGE } from './extensions.ts';
import { usableKey } from './public-key.ts';
import type { RevocationList } from './revocation-list.ts';
import { signatureFault } from './signature.ts';

export type RevocationFault =
  | 'revoked'
  /** Lists were given, and none of those that hold now is of the issuer of a certificate in the path. */
  | 'revocation_unknown';

export interface Revocation {
  readonly lists: readonly RevocationList[];
  /** When all of them hold: epoch milliseconds, inclusive. */
  readonly from: number;
  readonly to: number;
}

export function revocationOf(lists: readonly RevocationList[]): Revocation | undefined {
  if (lists.length === 0) return undefined;
  return {
    lists,
    from: Math.max(...lists.map(({ thisUpdate }) => thisUpdate)),
    to: Math.min(...lists.map(({ nextUpdate }) => nextUpdate)),
  };
}

/** Whether `child` is revoked by its `issuer`. Where lists are given, every certificate of a path needs one. */
export function revocationFault(
  { lists }: Revocation,
  child: Certificate,
  issuer: Certificate,
  now: number,
): RevocationFault | undefined {
  let known = false;
  for (const list of lists) {
    if (!isOf(list, issuer)) continue;
    if (list.revoked.has(child.serialNumber)) return 'revoked';
    // An old list still says who was revoked, and no longer who is not.
    if (now >= list.thisUpdate && now <= list.nextUpdate && !(list.usersOnly && child.ca)) known = true;
  }
  return known ? undefined : 'revocation_unknown';
}

/** RFC 5280 §6.3.3 (f), (g): the very issuer signed it, and may. Signatures are checked once for each list and issuer. */
export function isOf(list: RevocationList, issuer: Certificate): boolean {
  let checked = signers.get(list);
  if (checked === undefined) {
    checked = new WeakMap();
    signers.set(list, checked);
  }
  let signed = checked.get(issuer);
  if (signed === undefined) {
    signed = signedBy(list, issuer);
    checked.set(issuer, signed);
  }
  return signed;
}

const signers = new WeakMap<RevocationList, WeakMap<Certificate, boolean>>();

function signedBy(list: RevocationList, issuer: Certificate): boolean {
  if (list.issuer.key !== issuer.subject.key) return false;
  if (issuer.keyUsage?.has(KEY_USAGE.cRLSign) === false) return false;
  const key = usableKey(issuer.publicKey);
  return (
    typeof key !== 'string' &&
    signatureFault(list.tbsBytes, list.signatureAlgorithm, list.signature, key) === undefined
  );
}
