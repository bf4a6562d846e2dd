// A token request in CBOR: RFC 9200 §5.8.1, with the numbers of its §8.
import { ACE, ACE_GRANT_TYPE, type CborValue, decodeStrict, isCborMap } from '@countersign/cose';
import { Form } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';

/** The same parameters as in a form; the answer will be in CBOR too. */
export class AceForm extends Form {}

const LIMITS = { maxBytes: 4096, maxDepth: 4 } as const;
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
  // RFC 9201 §3.1; which key the client would like does not matter here: docs/decisions/0055.
  if (map.has(ACE.reqCnf)) throw new Refusal('ace_pop_key_unsupported');
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
  return new AceForm(names, values);
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
