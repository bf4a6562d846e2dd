import { describe, expect, it } from 'vitest';
import { epochSeconds } from './clock.ts';
import { newId, pooledRandom } from './ids.ts';

describe('an id', () => {
  it('is its prefix and twenty characters, unique among many', () => {
    const random = pooledRandom();
    const ids = Array.from({ length: 20_000 }, () => newId('idn', random));
    expect(new Set(ids).size).toBe(20_000);
    for (const id of ids) if (!/^idn_[0-9a-z]{20}$/.test(id)) expect.unreachable(id);
  });

  it('favours no character', () => {
    const random = pooledRandom();
    const counts = new Map<string, number>();
    for (let i = 0; i < 10_000; i++)
      for (const char of newId('evt', random).slice(4)) counts.set(char, (counts.get(char) ?? 0) + 1);
    const expected = 200_000 / 36;
    expect(counts.size).toBe(36);
    // Four bytes that wrap round would weigh an eighth more: far outside of this.
    for (const [char, count] of counts) expect(Math.abs(count / expected - 1), char).toBeLessThan(0.07);
  });

  it('asks for more bytes when too many of them would favour some', () => {
    let asked = 0;
    const stubborn = (size: number): Buffer => Buffer.alloc(size, asked++ === 0 ? 255 : 35);
    expect(newId('acs', stubborn)).toBe('acs_zzzzzzzzzzzzzzzzzzzz');
    expect(asked).toBe(2);
  });
});

describe('pooled random bytes', () => {
  it('are as many as asked for, and nobody else gets them', () => {
    const random = pooledRandom(64);
    const taken = [10, 50, 60, 64, 1, 200, 3].map((size) => {
      const bytes = random(size);
      expect(bytes.length).toBe(size);
      return { bytes, copy: Buffer.from(bytes) };
    });
    for (let i = 0; i < 100; i++) random(33);
    for (const { bytes, copy } of taken) expect(bytes.equals(copy)).toBe(true);
    const texts = new Set(Array.from({ length: 5000 }, () => random(16).toString('hex')));
    expect(texts.size).toBe(5000);
  });
});

describe('the second of now', () => {
  it('is never in the future', () => {
    expect(epochSeconds({ now: () => 1_800_000_000_999 })).toBe(1_800_000_000);
    expect(epochSeconds({ now: () => 1_800_000_001_000 })).toBe(1_800_000_001);
  });
});
