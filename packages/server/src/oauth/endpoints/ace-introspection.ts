// Introspection in CBOR: RFC 9200 §5.9, with the numbers of its §5.9.4.
import {
  ACE,
  ACE_MEDIA_TYPE,
  ACE_PROFILE,
  ACE_TOKEN_TYPE,
  type CborKey,
  type CborValue,
  CNF,
  decodeStrict,
  encodeCbor,
  INTROSPECTION,
  isCborMap,
} from '@countersign/cose';
import { Form } from '@countersign/protocol';
import type { HttpResponse } from '../../http/response.ts';
import { Refusal } from '../refusal.ts';

const LIMITS = { maxBytes: 4096, maxDepth: 4, encoding: 'any' } as const;

/** A question that came in CBOR; its answer will be in CBOR too. */
export class AceQuestion extends Form {}

/** Throws `Refusal`. A token is bytes, which go on as base64url, or text as it is. Hints are left out: there is one type of token. */
export function readAceQuestion(body: Uint8Array): AceQuestion {
  const read = decodeStrict(body, LIMITS);
  if (!read.ok || read.tags.length > 0 || !isCborMap(read.value)) throw new Refusal('ace_malformed');
  const map = read.value;
  const names: string[] = [];
  const values: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined || value.includes('\0')) throw new Refusal('ace_malformed');
    names.push(name);
    values.push(value);
  };
  if (map.has(INTROSPECTION.token)) add('token', tokenOf(map.get(INTROSPECTION.token)));
  if (map.has(ACE.clientId)) add('client_id', textOf(map.get(ACE.clientId)));
  if (map.has(ACE.clientSecret)) add('client_secret', secretOf(map.get(ACE.clientSecret)));
  return new AceQuestion(names, values);
}

/** The same as in JSON: RFC 9200 §5.9.2 wants the equivalent of 2.01, which is 201 (RFC 8075 §7). */
export function inCborAnswer({ headers, body }: HttpResponse): HttpResponse {
  const told = JSON.parse(String(body)) as { readonly [name: string]: unknown };
  const map = new Map<CborKey, CborValue>();
  for (const [name, value] of Object.entries(told)) {
    const number = NUMBERS.get(name);
    const written = WRITERS[name]?.(value) ?? plain(value);
    if (written !== undefined) map.set(number ?? name, written);
  }
  if (told['token_type'] === 'PoP') map.set(ACE.aceProfile, ACE_PROFILE.coapDtls);
  return {
    status: 201,
    headers: { ...headers, 'content-type': ACE_MEDIA_TYPE },
    body: encodeCbor(map),
  };
}

/** What has no number goes by its name. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['iss', INTROSPECTION.iss],
  ['sub', INTROSPECTION.sub],
  ['aud', INTROSPECTION.aud],
  ['exp', INTROSPECTION.exp],
  ['nbf', INTROSPECTION.nbf],
  ['iat', INTROSPECTION.iat],
  ['jti', INTROSPECTION.cti],
  ['cnf', INTROSPECTION.cnf],
  ['scope', INTROSPECTION.scope],
  ['active', INTROSPECTION.active],
  ['client_id', INTROSPECTION.clientId],
  ['token_type', INTROSPECTION.tokenType],
]);

const WRITERS: { readonly [name: string]: (value: unknown) => CborValue | undefined } = {
  jti: (value) => Uint8Array.from(Buffer.from(String(value), 'base64url')),
  aud: (value) => (Array.isArray(value) && value.length === 1 ? String(value[0]) : plain(value)),
  token_type: (value) =>
    value === 'PoP' ? ACE_TOKEN_TYPE.pop : value === 'Bearer' ? ACE_TOKEN_TYPE.bearer : String(value),
  // RFC 8747 §3.4. The thumbprints of JSON have no number: they go as they are.
  cnf: (value) => {
    const kid = (value as { readonly kid?: unknown }).kid;
    return typeof kid === 'string'
      ? new Map([[CNF.kid, Uint8Array.from(Buffer.from(kid, 'latin1'))]])
      : plain(value);
  },
};

/** JSON as CBOR; claims of ours have no fractions. */
function plain(value: unknown): CborValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (Array.isArray(value)) return value.map((each) => plain(each) ?? null);
  return new Map(Object.entries(value as object).map(([name, each]) => [name, plain(each) ?? null]));
}

/** A token of text in bytes is ASCII; a CBOR Web Token begins with a tag. */
function tokenOf(value: CborValue | undefined): string | undefined {
  if (!(value instanceof Uint8Array)) return textOf(value);
  const isTagged = (value[0] ?? 0) >> 5 === 6;
  return Buffer.from(value).toString(isTagged ? 'base64url' : 'latin1');
}

function textOf(value: CborValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function secretOf(value: CborValue | undefined): string | undefined {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : textOf(value);
}
