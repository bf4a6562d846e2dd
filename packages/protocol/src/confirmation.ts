// The confirmation claim: RFC 7800 §3.1, with `x5t#S256` (RFC 8705 §3.1) and `jkt` (RFC 9449 §6.1).
import { decodeBase64url } from './base64url.ts';
import { isJsonObject } from './strict-json.ts';

/** How a token is bound. `unknown` names members that are not understood: a verifier must then refuse. */
export interface Confirmation {
  readonly jkt?: string;
  readonly 'x5t#S256'?: string;
  readonly unknown: readonly string[];
}

/** The one key or certificate that a token of ours is bound to, as it is written into `cnf`. */
export type ConfirmationMember = { readonly jkt: string } | { readonly 'x5t#S256': string };

/** Reads a `cnf` value; `undefined` when it is not an object, is empty, or holds a malformed thumbprint. */
export function parseConfirmation(value: unknown): Confirmation | undefined {
  if (!isJsonObject(value)) return undefined;
  const names = Object.keys(value);
  if (names.length === 0) return undefined;
  const found: { jkt?: string; 'x5t#S256'?: string; unknown: string[] } = { unknown: [] };
  for (const name of names) {
    const member = value[name];
    if (name !== 'jkt' && name !== 'x5t#S256') found.unknown.push(name);
    else if (isSha256(member)) found[name] = member;
    else return undefined;
  }
  return found;
}

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && value.length === 43 && decodeBase64url(value) !== undefined;
}
