import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimAt, firstNotMet, ISSUER_KINDS, missingPins, subjectKey } from './federation-rule.ts';

const claims = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), fc.string({ maxLength: 12 }), {
  maxKeys: 6,
});

describe('a rule', () => {
  it('is met by the texts that it names, whatever else the token says', () => {
    fc.assert(
      fc.property(claims, claims, (conditions, others) => {
        const plain = Object.entries(conditions).filter(([name]) => !name.startsWith('/'));
        const wanted = Object.fromEntries(plain);
        expect(firstNotMet(wanted, { ...others, ...wanted })).toBeUndefined();
      }),
    );
  });

  it('is not met by any other text: no prefix, no case, no pattern', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (expected, actual) => {
        fc.pre(expected !== actual);
        expect(firstNotMet({ ref: expected }, { ref: actual })).toEqual({ claim: 'ref', expected, actual });
      }),
    );
    for (const actual of [
      'refs/heads/main2',
      'refs/heads/mai',
      'REFS/heads/main',
      '*',
      'refs/heads/*',
      ' refs/heads/main',
    ]) {
      expect(firstNotMet({ ref: 'refs/heads/main' }, { ref: actual })?.claim).toBe('ref');
    }
    expect(firstNotMet({ ref: 'refs/heads/*' }, { ref: 'refs/heads/main' })?.claim).toBe('ref');
  });

  it('is met by text only: no number, list, object or inherited member stands for one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(typeof value !== 'string');
        expect(firstNotMet({ id: JSON.stringify(value) }, { id: value })?.claim).toBe('id');
      }),
    );
    for (const name of ['constructor', 'toString', '__proto__', '/constructor/name', '/a/length']) {
      expect(firstNotMet({ [name]: 'Object' }, { a: 'Object' })?.actual).toBeUndefined();
    }
  });
});

describe('a claim inside another', () => {
  it('is found by its pointer (RFC 6901), with dots and slashes in names', () => {
    const token = {
      'kubernetes.io': { namespace: 'pay', 'a/b': { 'c~d': 'x' } },
      'https://sts.example/': 'y',
    };
    expect(claimAt(token, '/kubernetes.io/namespace')).toBe('pay');
    expect(claimAt(token, '/kubernetes.io/a~1b/c~0d')).toBe('x');
    expect(claimAt(token, 'https://sts.example/')).toBe('y');
    for (const missing of [
      'kubernetes.io.namespace',
      '/kubernetes.io/none',
      '/kubernetes.io/namespace/0',
      '/',
      '',
    ]) {
      expect(claimAt(token, missing)).toBeUndefined();
    }
    expect(claimAt({ list: ['a'] }, '/list/0')).toBeUndefined();
  });
});

describe('the key of a subject', () => {
  it('is another one for another issuer and for every other value of a pin', () => {
    const key = (id: string, values: Record<string, string>) =>
      subjectKey({ id, kind: 'github_actions' }, (pin) => values[pin] ?? '');
    const all = [
      key('tis_1', { repository_id: '1', repository_owner_id: '23' }),
      key('tis_1', { repository_id: '12', repository_owner_id: '3' }),
      key('tis_1', { repository_id: '1', repository_owner_id: '2' }),
      key('tis_2', { repository_id: '1', repository_owner_id: '23' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('takes the pins of its kind, and a rule has to have them all', () => {
    for (const kind of ['generic', 'github_actions', 'gitlab', 'kubernetes'] as const) {
      const { pins } = ISSUER_KINDS[kind];
      expect(pins.length).toBeGreaterThan(0);
      expect(missingPins(kind, Object.fromEntries(pins.map((pin) => [pin, 'x'])))).toEqual([]);
      expect(missingPins(kind, { name: 'x' })).toEqual(pins);
    }
  });
});
