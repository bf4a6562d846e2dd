import type { YamlValue } from '@countersign/daemon';

/** Claims that can go on, each in a header; `claims` is all of them, as JSON in base64url. */
export const PRESENTABLE_CLAIMS = [
  'client_id',
  'sub',
  'scope',
  'iss',
  'aud',
  'jti',
  'exp',
  'iat',
  'act',
  'crd',
  'acs',
  'claims',
] as const;

/** What goes on where the file says nothing of it. */
export const DEFAULT_IDENTITY_HEADERS: ReadonlyMap<string, string> = new Map([
  ['client_id', 'Countersign-Client-Id'],
  ['sub', 'Countersign-Subject'],
  ['scope', 'Countersign-Scope'],
  ['jti', 'Countersign-Token-Id'],
]);

const NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** What the message itself is made of, and what proofs travel in. */
const TAKEN = new Set(
  (
    'host connection content-length content-type transfer-encoding te trailer upgrade keep-alive expect cookie ' +
    'authorization dpop x-api-key proxy-authorization forwarded via'
  ).split(' '),
);

/** Claim → header. @throws ConfigFault */
export function readIdentityHeaders(value: YamlValue): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [claim, name] of Object.entries(value.members(PRESENTABLE_CLAIMS))) {
    const header = name.string();
    if (!NAME.test(header)) throw name.fault('write a header name of letters, digits and hyphens');
    if (TAKEN.has(header.toLowerCase()) || /^(?:x-forwarded-|x-original-)/i.test(header)) {
      throw name.fault('is a header that means something else');
    }
    const names = [...headers.values()].map((each) => each.toLowerCase());
    if (names.includes(header.toLowerCase())) throw name.fault('is the header of another claim already');
    headers.set(claim, header);
  }
  return headers;
}
