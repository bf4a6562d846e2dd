import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../http/request.ts';
import { Refusal } from '../refusal.ts';
import { confirm } from './confirm.ts';
import type { SenderConstraint } from './constraint.ts';

const REQUEST = {} as HttpRequest;
const shows = (name: SenderConstraint['name'], later = false): SenderConstraint => ({
  name,
  confirm: () => (later ? Promise.resolve({ jkt: name }) : { jkt: name }),
});
const silent = (name: SenderConstraint['name']): SenderConstraint => ({ name, confirm: () => undefined });

function asked(wanted: 'none' | 'dpop' | 'mtls', ...constraints: SenderConstraint[]): unknown {
  return confirm(constraints, REQUEST, { senderConstraint: wanted }, 0, 'payments');
}
const refused = (reason: string) =>
  expect.objectContaining({ constructor: Refusal, reason }) as unknown as Error;

describe('a token is bound', () => {
  it('to nothing where nothing is shown or wanted, without waiting', () => {
    expect(asked('none')).toBeUndefined();
    expect(asked('none', silent('dpop'), silent('mtls'))).toBeUndefined();
  });

  it('to what is shown, wanted or not', async () => {
    expect(asked('none', shows('dpop'))).toEqual({ jkt: 'dpop' });
    expect(asked('dpop', silent('mtls'), shows('dpop'))).toEqual({ jkt: 'dpop' });
    await expect(asked('dpop', shows('dpop', true))).resolves.toEqual({ jkt: 'dpop' });
  });

  it.each<['dpop' | 'mtls', SenderConstraint[]]>([
    ['dpop', []],
    ['dpop', [silent('dpop')]],
    ['dpop', [shows('mtls')]],
    ['mtls', [shows('dpop')]],
  ])('as its resource server wants, or there is none: %s', (wanted, constraints) =>
    expect(() => asked(wanted, ...constraints)).toThrow(refused('sender_constraint_missing')),
  );

  it('to one thing only', () =>
    expect(() => asked('none', shows('dpop'), shows('mtls'))).toThrow(refused('several_sender_constraints')));

  it('or refused, and a store that fails later for what was shown is nobody’s fault', async () => {
    const failing: SenderConstraint = { name: 'dpop', confirm: () => Promise.reject(new Error('gone')) };
    expect(() => asked('mtls', failing)).toThrow(refused('sender_constraint_missing'));
    expect(() => asked('none', failing, shows('mtls'))).toThrow(refused('several_sender_constraints'));
    expect(() => asked('none', shows('mtls'), failing)).toThrow(refused('several_sender_constraints'));
    // An unhandled rejection would end the process: here it fails the run.
    await nextTurn();
  });

  it('or refused, when what was shown turns out to be nothing', () =>
    expect(asked('dpop', { name: 'dpop', confirm: () => Promise.resolve(undefined) })).rejects.toThrow(
      refused('sender_constraint_missing'),
    ));
});
