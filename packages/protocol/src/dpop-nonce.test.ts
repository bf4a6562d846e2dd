import { describe, expect, it } from 'vitest';
import { createDpopNonces, DPOP_NONCE_PERIOD } from './dpop-nonce.ts';

const KEY = new Uint8Array(32).fill(5);
const T = 4_000 * DPOP_NONCE_PERIOD;

describe('a nonce', () => {
  it('is the same on every node with the key, and on none without', () => {
    const nonce = createDpopNonces(KEY).current(T);
    expect(createDpopNonces(KEY).accepts(nonce, T)).toBe(true);
    expect(createDpopNonces(new Uint8Array(32)).accepts(nonce, T)).toBe(false);
    expect(nonce).toMatch(/^[\w-]{22}$/);
  });

  it('is taken for 5 to 10 minutes, and one period early for clocks that are behind', () => {
    const nonces = createDpopNonces(KEY);
    const nonce = nonces.current(T);
    expect(nonces.current(T + DPOP_NONCE_PERIOD - 1)).toBe(nonce);
    expect(nonces.current(T + DPOP_NONCE_PERIOD)).not.toBe(nonce);
    expect(nonces.accepts(nonce, T + 2 * DPOP_NONCE_PERIOD - 1)).toBe(true);
    expect(nonces.accepts(nonce, T + 2 * DPOP_NONCE_PERIOD)).toBe(false);
    expect(nonces.accepts(nonce, T - DPOP_NONCE_PERIOD)).toBe(true);
    expect(nonces.accepts(nonce, T - DPOP_NONCE_PERIOD - 1)).toBe(false);
  });

  it('is nothing else', () => {
    for (const text of ['', 'x', String(T)]) expect(createDpopNonces(KEY).accepts(text, T)).toBe(false);
  });
});
