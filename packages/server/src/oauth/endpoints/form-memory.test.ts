// What the token endpoint remembers of the forms it has read (RFC 6749 §3.2).
import { generateSecret } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../../ids.ts';
import { Refusal } from '../refusal.ts';
import { FormMemory } from './form-memory.ts';

/** Whether the memory holds the body: then it gives the same form again. */
function keeps(body: string, memory = new FormMemory()): boolean {
  const bytes = Buffer.from(body, 'utf8');
  return memory.read(bytes) === memory.read(Buffer.from(bytes));
}
const { secret } = generateSecret('csk', pooledRandom());

describe('the memory of forms', () => {
  it.each([
    'grant_type=client_credentials',
    'grant_type=client_credentials&scope=fraud%3Aread+fraud%3Awrite&resource=https://fraud.test',
    'grant_type=client_credentials&client_id=payments&audience=x',
    '',
  ])('keeps what machines send again and again: %s', (body) => expect(keeps(body)).toBe(true));

  it.each([
    `grant_type=client_credentials&client_id=payments&client_secret=${secret}`,
    `grant_type=client_credentials&Client%5FSecret=${secret}`,
    'grant_type=client_credentials&client_assertion=eyJ',
    'grant_type=refresh_token&refresh_token=abc',
    'grant_type=x&subject_token=abc',
    'grant_type=password&username=a&password=hunter2',
    'grant_type=authorization_code&code=abc&code_verifier=abc',
    'grant_type=client_credentials&api_key=abc',
    `grant_type=client_credentials&scope=${secret}`,
    `grant_type=client_credentials&client_id=${secret}`,
    `grant_type=client_credentials&client_id=${encodeURIComponent(secret).replaceAll('_', '%5f')}`,
    `grant_type=client_credentials&resource=https://fraud.test/${secret}`,
    `grant_type=client_credentials&scope=a+${secret.replace('csk', 'cak')}+b`,
    `grant_type=client_credentials&scope=${secret.replace('csk', 'cdc')}`,
    `grant_type=client_credentials&audience=cot_${'a'.repeat(200)}`,
  ])('keeps nothing that may hold a secret: %s', (body) => expect(keeps(body)).toBe(false));

  it('keeps no long ones', () => {
    expect(keeps(`scope=${'a'.repeat(506)}`)).toBe(true);
    expect(keeps(`scope=${'a'.repeat(507)}`)).toBe(false);
  });

  it('tells bodies apart by their bytes', () => {
    const memory = new FormMemory();
    const bodies = [
      'scope=a',
      'scope=A',
      'scope=a&',
      'scope=%61',
      'scope=ä',
      'scope=Ã¤',
      'scope=a+b',
      'scope=a%20b',
    ];
    const forms = bodies.map((body) => memory.read(Buffer.from(body)));
    expect(new Set(forms).size).toBe(bodies.length);
    expect(forms.map((form) => form.get('scope'))).toEqual(['a', 'A', 'a', 'a', 'ä', 'Ã¤', 'a b', 'a b']);
  });

  it('refuses the same body each time', () => {
    const memory = new FormMemory();
    for (let i = 0; i < 3; i++) expect(() => memory.read(Buffer.from('scope=a&scope=b'))).toThrow(Refusal);
  });

  it('is bounded: the oldest leave', () => {
    const memory = new FormMemory();
    const first = memory.read(Buffer.from('scope=s0'));
    for (let i = 1; i < 1024; i++) memory.read(Buffer.from(`scope=s${i}`));
    expect(memory.read(Buffer.from('scope=s0'))).toBe(first);
    memory.read(Buffer.from('scope=one-more'));
    expect(memory.read(Buffer.from('scope=s0'))).not.toBe(first);
  });

  it('gives what reading would give, whatever was asked before (property)', () => {
    const memory = new FormMemory();
    const name = fc.constantFrom('scope', 'resource', 'client_id', 'client_secret', 'x');
    const pairs = fc.array(fc.tuple(name, fc.constantFrom('a', 'b', 'ä', '', secret)), { maxLength: 4 });
    fc.assert(
      fc.property(pairs, (given) => {
        const body = Buffer.from(
          given.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&'),
        );
        const read = (from: FormMemory): unknown => {
          try {
            const form = from.read(body);
            return form.names().map((each) => [each, form.all(each)]);
          } catch (error) {
            return (error as Refusal).reason;
          }
        };
        expect(read(memory)).toEqual(read(new FormMemory()));
      }),
    );
  });
});
