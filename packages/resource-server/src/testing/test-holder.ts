// Who holds the key that a token is bound to, and proves it: RFC 9449 §4.2, RFC 7638.
import { encodeBase64url } from '@countersign/protocol';
import { newTestKey } from './test-key.ts';

export interface TestHolder {
  /** The claim that binds a token to this key. */
  readonly cnf: { readonly jkt: string };
  /**
   * A proof for one request. `url` as its caller sees it. `claims` are added or change the proof; those that are undefined
   * are left out.
   */
  proof(request: {
    readonly method: string;
    readonly url: string;
    readonly token: string;
    readonly nonce?: string;
    readonly claims?: { readonly [claim: string]: unknown };
  }): Promise<string>;
}

/** `clock`: epoch seconds. */
export async function newTestHolder(clock: () => number): Promise<TestHolder> {
  const key = await newTestKey();
  const { crv, kty, x, y } = key.jwk;
  const cnf = { jkt: await sha256(JSON.stringify({ crv, kty, x, y })) };
  return {
    cnf,
    async proof({ method, url, token, nonce, claims }) {
      const about = { htm: method, htu: url, ath: await sha256(token) };
      const made = { jti: crypto.randomUUID(), iat: clock(), ...about, nonce, ...claims };
      return key.sign({ typ: 'dpop+jwt', jwk: key.jwk }, made);
    },
  };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return encodeBase64url(new Uint8Array(digest));
}
