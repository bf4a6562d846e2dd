// A token request in CBOR: RFC 9200 §5.8.1, with the numbers of its §8.
import {
  ACE,
  ACE_GRANT_TYPE,
  type CborValue,
  CNF,
  decodeStrict,
  isCborMap,
  namedSymmetricKid,
} from '@countersign/cose';
import { Form } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';
import type { AceTerms } from '../tokens/authorization.ts';

/** The same parameters as in a form; the answer will be in CBOR too. */
export class AceForm extends Form {
  readonly terms: AceTerms;

  constructor(names: readonly string[], values: readonly string[], terms: AceTerms) {
    super(names, values);
    this.terms = terms;
  }
}

const LIMITS = { maxBytes: 4096, maxDepth: 4, encoding: 'any' } as const;
const MOST_NONCE_BYTES = 64;
const GRANT_TYPES: ReadonlyMap<CborValue, string> = new Map([
  [ACE_GRANT_TYPE.clientCredentials, 'client_credentials'],
]);
/** By number, what each is called here. `audience` is what RFC 8707 calls a resource. */
const TEXTS: ReadonlyMap<number, string> = new Map([
  [ACE.audience, 'resource'],
  [ACE.scope, 'scope'],
  [ACE.clientId, 'client_id'],
]);

/** Throws `Refusal`. Parameters that are not known are left out (RFC 6749 §3.2). */
export function readAceForm(body: Uint8Array): AceForm {
  const read = decodeStrict(body, LIMITS);
  if (!read.ok || read.tags.length > 0 || !isCborMap(read.value)) throw new Refusal('ace_malformed');
  const map = read.value;
  const terms = { ...popKeyAsked(map.get(ACE.reqCnf)), ...nonceOf(map.get(ACE.cnonce)) };
  const names = ['grant_type'];
  const values = [grantTypeOf(map.get(ACE.grantType))];
  const add = (name: string, value: string): void => {
    names.push(name);
    values.push(value);
  };
  for (const [key, name] of TEXTS) {
    const value = map.get(key);
    if (value !== undefined) add(name, textOf(value));
  }
  const secret = map.get(ACE.clientSecret);
  if (secret !== undefined) add('client_secret', secretOf(secret));
  return new AceForm(names, values, terms);
}

/** RFC 9201 §3.1: a key by its name. One of the client's own choice is not taken: docs/decisions/0055. */
function popKeyAsked(reqCnf: CborValue | undefined): Pick<AceTerms, 'popKeyId'> {
  if (reqCnf === undefined) return {};
  if (!isCborMap(reqCnf) || reqCnf.size !== 1) throw new Refusal('ace_pop_key_unsupported');
  const kid = reqCnf.get(CNF.kid) ?? namedSymmetricKid(reqCnf.get(CNF.coseKey));
  if (!(kid instanceof Uint8Array)) throw new Refusal('ace_pop_key_unsupported');
  return { popKeyId: Uint8Array.from(kid) };
}

/** RFC 9200 §5.8.4.4: "the AS MUST include the value of this parameter in the cnonce claim". */
function nonceOf(cnonce: CborValue | undefined): Pick<AceTerms, 'cnonce'> {
  if (cnonce === undefined) return {};
  if (!(cnonce instanceof Uint8Array) || cnonce.length === 0 || cnonce.length > MOST_NONCE_BYTES)
    throw new Refusal('ace_malformed');
  return { cnonce: Uint8Array.from(cnonce) };
}

/** RFC 9200 §5.8.1: client_credentials unless it says otherwise. */
function grantTypeOf(value: CborValue = ACE_GRANT_TYPE.clientCredentials): string {
  const name = GRANT_TYPES.get(value);
  if (name !== undefined) return name;
  if (typeof value === 'number') throw new Refusal('grant_type_unknown');
  throw new Refusal('ace_malformed');
}

/** A scope in bytes is of a format that is not used here (RFC 9200 §5.8.1 leaves it to the application). */
function textOf(value: CborValue): string {
  if (typeof value !== 'string' || value.includes('\0')) throw new Refusal('ace_malformed');
  return value;
}

/** A byte string by RFC 9200 §8.10; some clients send the text that they were given. */
function secretOf(value: CborValue): string {
  return textOf(value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value);
}
