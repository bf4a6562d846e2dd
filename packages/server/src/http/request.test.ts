import { generateSecret } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { callerInstance, header, singleHeader } from './request.ts';

const of = (...rawHeaders: string[]): { rawHeaders: string[] } => ({ rawHeaders });

describe('a header', () => {
  it('is found in any case, with its value as it was sent', () => {
    expect(header(of('X-A', 'b', 'AUTHORIZATION', ' Basic x '), 'authorization')).toEqual({
      kind: 'one',
      value: ' Basic x ',
    });
  });

  it('is absent when only others are there, or a value looks like it', () => {
    expect(header(of('X', 'authorization', 'authorizatio', 'x'), 'authorization')).toEqual({
      kind: 'absent',
    });
    expect(header(of(), 'authorization')).toEqual({ kind: 'absent' });
  });

  it('that came twice is no single one, not even when both are the same', () => {
    for (const second of ['a', 'b', '']) {
      const request = of('Authorization', 'a', 'authorization', second);
      expect(header(request, 'authorization')).toEqual({ kind: 'many' });
      expect(singleHeader(request, 'authorization')).toBeUndefined();
    }
  });

  it('may be empty, which is not absent', () => {
    expect(header(of('Authorization', ''), 'authorization')).toEqual({ kind: 'one', value: '' });
  });
});

describe('the running copy that asks', () => {
  it('is what it calls itself, where that is a name', () => {
    expect(callerInstance(of('Countersign-Instance', 'boot-7.a_b'))).toBe('boot-7.a_b');
    expect(callerInstance(of())).toBeUndefined();
    for (const value of ['', 'a b', 'a"', 'a'.repeat(65), 'ä', 'a\n']) {
      expect(callerInstance(of('Countersign-Instance', value)), value).toBeUndefined();
    }
    expect(callerInstance(of('Countersign-Instance', 'a', 'countersign-instance', 'a'))).toBeUndefined();
  });

  it.each(['csk', 'cak', 'cit', 'cdc'] as const)('is nobody where it calls itself a secret (%s)', (kind) => {
    const { secret } = generateSecret(kind, pooledRandom());
    for (const value of [secret, `a.${secret}`, `${secret}_b`])
      expect(callerInstance(of('Countersign-Instance', value))).toBeUndefined();
    expect(callerInstance(of('Countersign-Instance', secret.slice(0, 12)))).toBe(secret.slice(0, 12));
  });
});
