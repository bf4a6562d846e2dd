// Extensions of certificates: RFC 5280 §4.2.
import {
  context,
  DerError,
  DerReader,
  onlyElement,
  readBoolean,
  readNamedBits,
  readObjectIdentifier,
  readSmallInteger,
  TAG,
} from './der.ts';
import { type GeneralName, readGeneralNames } from './general-name.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';

/** RFC 5280 §4.2.1.3: bits of KeyUsage by their number. */
export const KEY_USAGE = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyCertSign: 5,
  cRLSign: 6,
} as const;
/** RFC 5280 §4.2.1.12. */
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

export interface Extensions {
  /** RFC 5280 §4.2.1.9; absent: no authority. */
  readonly ca: boolean;
  readonly pathLength: number | undefined;
  /** Undefined: for every use. */
  readonly keyUsage: ReadonlySet<number> | undefined;
  readonly extendedKeyUsage: ReadonlySet<string> | undefined;
  readonly subjectAltNames: readonly GeneralName[];
  readonly subjectAltNameCritical: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  /** Hexadecimal. */
  readonly subjectKeyIdentifier: string | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  /** A critical one is there that nothing here understands: whatever it says, it is not obeyed (RFC 5280 §4.2). */
  readonly unknownCritical: boolean;
}

type Found = { -readonly [name in keyof Extensions]: Extensions[name] };

export const NO_EXTENSIONS: Extensions = {
  ca: false,
  pathLength: undefined,
  keyUsage: undefined,
  extendedKeyUsage: undefined,
  subjectAltNames: [],
  subjectAltNameCritical: false,
  nameConstraints: undefined,
  subjectKeyIdentifier: undefined,
  authorityKeyIdentifier: undefined,
  unknownCritical: false,
};

const MAX_EXTENSIONS = 64;

/** One Extension: in certificates, in revocation lists and in their entries. */
export interface RawExtension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** The content of Extensions: at least one, none twice (RFC 5280 §4.2). Throws `DerError`. */
export function readRawExtensions(list: DerReader): readonly RawExtension[] {
  const read: RawExtension[] = [];
  const seen = new Set<string>();
  do {
    const extension = list.inside(TAG.sequence);
    const id = readObjectIdentifier(extension.next(TAG.objectIdentifier));
    const flag = extension.optional(TAG.boolean);
    // X.690 §11.5: a default is left out.
    if (flag !== undefined && !readBoolean(flag)) throw new DerError('a default that is written out');
    const { content } = extension.next(TAG.octetString);
    extension.end();
    if (seen.has(id)) throw new DerError('an extension twice');
    seen.add(id);
    read.push({ id, critical: flag !== undefined, value: content });
    if (read.length > MAX_EXTENSIONS) throw new DerError('too many extensions');
  } while (!list.ended);
  return read;
}

export function readExtensions(list: DerReader): Extensions {
  const found: Found = { ...NO_EXTENSIONS };
  for (const { id, critical, value } of readRawExtensions(list)) {
    const read = READERS[id];
    if (read !== undefined) read(value, found, critical);
    else if (critical) found.unknownCritical = true;
  }
  return found;
}

const READERS: { readonly [id: string]: (value: Uint8Array, found: Found, critical: boolean) => void } = {
  // basicConstraints
  '2.5.29.19': (value, found) => {
    const fields = sequenceOf(value);
    const ca = fields.optional(TAG.boolean);
    if (ca !== undefined && !readBoolean(ca)) throw new DerError('a default that is written out');
    const length = fields.optional(TAG.integer);
    fields.end();
    found.ca = ca !== undefined;
    if (length === undefined) return;
    if (!found.ca) throw new DerError('a path length without an authority');
    found.pathLength = readSmallInteger(length);
  },
  '2.5.29.15': (value, found) => {
    const bits = readNamedBits(onlyElement(value, TAG.bitString));
    // RFC 5280 §4.2.1.3: at least one.
    if (bits.size === 0) throw new DerError('a key usage without any use');
    found.keyUsage = bits;
  },
  '2.5.29.37': (value, found) => {
    const purposes = sequenceOf(value);
    const ids = new Set<string>();
    do ids.add(readObjectIdentifier(purposes.next(TAG.objectIdentifier)));
    while (!purposes.ended);
    found.extendedKeyUsage = ids;
  },
  // subjectAltName
  '2.5.29.17': (value, found, critical) => {
    found.subjectAltNames = readGeneralNames(sequenceOf(value));
    found.subjectAltNameCritical = critical;
  },
  '2.5.29.30': (value, found) => {
    found.nameConstraints = readNameConstraints(sequenceOf(value));
  },
  '2.5.29.14': (value, found) => {
    found.subjectKeyIdentifier = hex(onlyElement(value, TAG.octetString).content);
  },
  // authorityKeyIdentifier: the key's; by issuer and serial number it is not followed.
  '2.5.29.35': (value, found) => {
    const key = sequenceOf(value).optional(context(0, false));
    found.authorityKeyIdentifier = key === undefined ? undefined : hex(key.content);
  },
  // certificatePolicies: RFC 5280 §6.1 with any policy acceptable refuses nothing for them.
  '2.5.29.32': (value) => void sequenceOf(value).next(TAG.sequence),
};

function sequenceOf(value: Uint8Array): DerReader {
  return new DerReader(onlyElement(value, TAG.sequence).content);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
