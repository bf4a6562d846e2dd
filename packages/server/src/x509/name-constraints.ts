// Name constraints: RFC 5280 §4.2.1.10. What an authority may give names to.
import { COMMON_NAME, EMAIL_ADDRESS } from './attribute-type.ts';
import { context, DerError, DerReader, TAG } from './der.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { type GeneralName, readGeneralName } from './general-name.ts';

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** With as many names in a certificate, 65,536 comparisons for each authority of a path. */
const MAX_SUBTREES = 256;

/** The content of NameConstraints. Throws `DerError`. */
export function readNameConstraints(fields: DerReader): NameConstraints {
  const permitted = subtrees(fields, 0);
  const excluded = subtrees(fields, 1);
  fields.end();
  if (permitted.length + excluded.length === 0) throw new DerError('constraints that constrain nothing');
  return { permitted, excluded };
}

function subtrees(fields: DerReader, number: number): readonly GeneralName[] {
  const list = fields.optional(context(number, true));
  if (list === undefined) return [];
  const read: GeneralName[] = [];
  const reader = new DerReader(list.content);
  do {
    const subtree = reader.inside(TAG.sequence);
    const base = readGeneralName(subtree.next());
    // RFC 5280 §4.2.1.10: minimum is 0 and maximum absent, always.
    subtree.end();
    requireBase(base);
    read.push(base);
    if (read.length > MAX_SUBTREES) throw new DerError('too many constraints');
  } while (!reader.ended);
  return read;
}

/**
 * RFC 5280 §4.2.1.10: a host, or what lies below it. What else authorities write (`*.example.org`, a dot at the end, a whole
 * URI, a mask with holes) would be found in no name: what is excluded so would be allowed.
 */
function requireBase(base: GeneralName): void {
  if (base.form === 'ip') {
    if (!isBlock(base.bytes)) throw new DerError('a constraint that is no block of addresses');
  } else if ('text' in base && !BASES[base.form].test(base.text)) {
    throw new DerError(`a constraint that fits no ${base.form} name`);
  }
}

const BASES: { readonly [form in 'dns' | 'uri' | 'email']: RegExp } = {
  dns: /^(?:\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)?$/,
  uri: /^(?:\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)?$/,
  email: /^(?:(?:\.|[\x21-\x3f\x41-\x7e]{1,64}@)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)?$/,
};

/** RFC 4632 §3.1: an address, then a mask of ones that zeros follow. */
function isBlock(bytes: Uint8Array): boolean {
  if (bytes.length !== 8 && bytes.length !== 32) return false;
  const mask = Array.from(bytes.subarray(bytes.length / 2), (byte) => byte.toString(2).padStart(8, '0'));
  return /^1*0*$/.test(mask.join(''));
}

/** What a certificate calls itself, in every place that constraints are for. */
export function constrainedNames(
  subject: DistinguishedName,
  alternatives: readonly GeneralName[],
): readonly GeneralName[] {
  const names: GeneralName[] = [...alternatives];
  if (subject.rdns.length > 0) names.push({ form: 'directory', name: subject });
  const dns = alternatives.some((name) => name.form === 'dns');
  for (const { type, text } of subject.attributes) {
    if (text === undefined) continue;
    // RFC 5280 §4.2.1.10, for authorities from before subjectAltName.
    if (type === EMAIL_ADDRESS) names.push({ form: 'email', text });
    // Not asked for: a common name that looks like a host is taken for one by others, so it is held to the same.
    if (type === COMMON_NAME && !dns && LOOKS_LIKE_HOST.test(text)) names.push({ form: 'dns', text });
  }
  return names;
}

const LOOKS_LIKE_HOST = /^(?:\*\.)?(?:[A-Za-z0-9_-]+\.)+[A-Za-z0-9_-]+$/;

/** Whether the constraints allow every one of these names. */
export function allows({ permitted, excluded }: NameConstraints, names: readonly GeneralName[]): boolean {
  return names.every((name) => {
    const same = permitted.filter((base) => sameForm(base, name));
    return (
      (same.length === 0 || same.some((base) => within(name, base) === true)) &&
      // A name that cannot be compared with what is excluded is not allowed either.
      excluded.every((base) => !sameForm(base, name) || (within(name, base) === false && !covers(name, base)))
    );
  });
}

/** RFC 6125 §6.4.3: a wildcard stands for every host one step below, those that are excluded among them. */
function covers(name: GeneralName, base: GeneralName): boolean {
  if (name.form !== 'dns' || base.form !== 'dns' || !name.text.startsWith('*.')) return false;
  return hostWithin(base.text, name.text.slice(2), true);
}

function sameForm(base: GeneralName, name: GeneralName): boolean {
  return base.form === name.form && (base.form !== 'other' || base.tag === (name as typeof base).tag);
}

/** Undefined: cannot be said. */
function within(name: GeneralName, base: GeneralName): boolean | undefined {
  switch (name.form) {
    case 'dns':
      return base.form === 'dns' && hostWithin(name.text, base.text, true);
    case 'uri': {
      const host = hostOf(name.text);
      return host === undefined ? undefined : base.form === 'uri' && hostWithin(host, base.text, false);
    }
    case 'email':
      return base.form === 'email' ? mailboxWithin(name.text, base.text) : undefined;
    case 'ip':
      return base.form === 'ip' && addressWithin(name.bytes, base.bytes);
    case 'directory':
      return base.form === 'directory' && base.name.rdns.every((rdn, i) => rdn === name.name.rdns[i]);
    case 'other':
      return undefined;
  }
}

/** `.example.org`: what lies below; `example.org`: itself and, for host names, what lies below. Empty: everything. */
function hostWithin(host: string, base: string, below: boolean): boolean {
  const [name, under] = [host.toLowerCase(), base.toLowerCase()];
  if (under === '') return true;
  if (under.startsWith('.')) return name.endsWith(under) && name.length > under.length;
  return name === under || (below && name.endsWith(`.${under}`));
}

/**
 * RFC 5280 §4.2.1.10: a constraint is for the host, which has to be a name. Where a user stands before it readers disagree on
 * which part is the host, so it has none.
 */
function hostOf(uri: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  const host = authority?.replace(/:\d*$/, '');
  // An empty label, as behind a last dot, is another spelling of a host that would not be found equal.
  if (host === undefined || !/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(host)) return undefined;
  return /^[\d.]+$/.test(host) ? undefined : host;
}

/** A mailbox, a host whose mailboxes are meant, or `.example.org`, the hosts below. */
function mailboxWithin(mailbox: string, base: string): boolean | undefined {
  const at = mailbox.lastIndexOf('@');
  if (at < 1) return undefined;
  const [local, host] = [mailbox.slice(0, at), mailbox.slice(at + 1)];
  const baseAt = base.lastIndexOf('@');
  if (baseAt < 0) return hostWithin(host, base, false);
  // RFC 5321 §2.4: the part before the @ is in the case that its host gave it.
  return local === base.slice(0, baseAt) && host.toLowerCase() === base.slice(baseAt + 1).toLowerCase();
}

function addressWithin(address: Uint8Array, base: Uint8Array): boolean {
  const size = base.length / 2;
  if (address.length !== size) return false;
  return address.every(
    (byte, i) => (byte & (base[size + i] as number)) === ((base[i] as number) & (base[size + i] as number)),
  );
}
