// Stateless cookies against made-up addresses: RFC 6347 §4.2.1.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ClientHello } from './client-hello.ts';

const COOKIE_BYTES = 16;
/** Milliseconds that a secret makes cookies; the one before is believed as long again. */
const SECRET_FOR_MS = 60_000;

export interface Cookies {
  make(peer: string, hello: ClientHello): Uint8Array;
  isGood(peer: string, hello: ClientHello): boolean;
}

/** `now`: milliseconds that only grow. */
export function createCookies(random: (size: number) => Uint8Array, now: () => number): Cookies {
  let current = random(32);
  let previous: Uint8Array | undefined;
  let since = now();

  function renew(): void {
    const age = now() - since;
    if (age < SECRET_FOR_MS) return;
    previous = age < 2 * SECRET_FOR_MS ? current : undefined;
    current = random(32);
    since = now();
  }

  return {
    make(peer, hello) {
      renew();
      return cookieOf(current, peer, hello);
    },
    isGood(peer, hello) {
      if (hello.cookie.length !== COOKIE_BYTES) return false;
      renew();
      const secrets = previous === undefined ? [current] : [current, previous];
      return secrets.some((secret) => timingSafeEqual(cookieOf(secret, peer, hello), hello.cookie));
    },
  };
}

/** Over the address and what the client must repeat. */
function cookieOf(
  secret: Uint8Array,
  peer: string,
  { version, random, sessionId, cipherSuites }: ClientHello,
): Buffer {
  const parts = `${peer}\n${version}\n${cipherSuites.join()}\n`;
  const mac = createHmac('sha256', secret).update(parts).update(random).update(sessionId);
  return mac.digest().subarray(0, COOKIE_BYTES);
}
