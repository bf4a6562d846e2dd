import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, encodeEvent } from '../audit/event.ts';
import { INDEXED_MEMBERS, keyOfMember, scanEvent, scannedEvent } from './audit-index-scan.ts';

/** Quotes, backslashes, braces, member names, control characters, lone surrogates: whatever may confuse a scanner. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', '\u0000', '\ud800', 'ß'),
    maxLength: 12,
  }),
  fc.constantFrom('","id":"forged","x":"', '\\",\\"seq\\":7', '"seq":9,'),
);
const plain = fc.stringMatching(/^[a-z0-9_.-]{1,20}$/);
const event = fc.record<AuditEvent>(
  {
    id: plain,
    at: fc
      .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    type: plain,
    outcome: fc.constantFrom('success', 'refused', 'error'),
    request_id: plain,
    identity: text,
    resource: text,
    scopes_asked: text,
    scopes_held: text,
    jti: plain,
    lifetime: fc.nat(),
    parent: plain,
    detail: fc.json(),
  },
  { requiredKeys: ['id', 'at', 'type', 'outcome'] },
);

describe('scanning an event', () => {
  it('reads what parsing it would, whatever its text holds', () => {
    const into = scannedEvent();
    fc.assert(
      fc.property(
        event,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.nat({ max: 9 }),
        (given, seq, pad) => {
          const line = encodeEvent(given, seq);
          const before = ' '.repeat(pad);
          const bytes = Buffer.from(`${before}${line}\n{"id":"next"`, 'utf8');
          scanEvent(bytes, pad, pad + Buffer.byteLength(line), into);
          const parsed = JSON.parse(line) as Record<string, unknown>;
          expect(into.seq).toBe(seq);
          expect(into.at).toBe(Date.parse(given.at));
          const expected = INDEXED_MEMBERS.map((member) => {
            const value = parsed[member];
            return typeof value === 'string' ? keyOfMember(member, value) : -1;
          });
          expect([...into.keys]).toEqual(expected);
          for (const member of INDEXED_MEMBERS) {
            const value = given[member];
            if (value !== undefined)
              expect(into.keys[INDEXED_MEMBERS.indexOf(member)]).toBe(keyOfMember(member, value));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses every cut of an event', () => {
    const line = Buffer.from(
      encodeEvent({ id: 'evt_1', at: '2026-11-21T21:54:00.123Z', type: 't', outcome: 'error' }, 7),
    );
    const into = scannedEvent();
    scanEvent(line, 0, line.length, into);
    for (let length = 0; length < line.length; length++) {
      expect(() => scanEvent(line.subarray(0, length), 0, length, into), String(length)).toThrow(
        'no audit event',
      );
    }
  });

  it('gives the same value of two members two keys', () => {
    expect(new Set(INDEXED_MEMBERS.map((member) => keyOfMember(member, 'same'))).size).toBe(
      INDEXED_MEMBERS.length,
    );
  });
});
