import { canonicalJson } from '@countersign/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, encodeEvent } from './event.ts';

/** Whatever a caller may write: all of Unicode, halves of it, and what could end a JSON string or a line. */
const outside = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\r',
      '#',
      '\u0000',
      '\u001f',
      '\u007f',
      '\u2028',
      '\ud800',
      '𝄞',
      'ß',
    ),
    maxLength: 20,
  }),
  fc.constantFrom('","type":"forged', '\n#1 00000000\n', '\udc00\ud800', '\\u0000'),
);
/** What the server makes itself: ids, addresses, names. */
const inside = fc.stringMatching(/^[A-Za-z0-9_.:/-]{1,30}$/);
/** Each of them: what is left out here is compared with nothing. */
const MEMBERS = {
  id: inside,
  at: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  type: inside,
  outcome: fc.constantFrom('success', 'refused', 'error'),
  request_id: inside,
  identity: outside,
  credential: inside,
  access: inside,
  resource: outside,
  scopes_asked: outside,
  scopes_held: outside,
  jti: inside,
  method: inside,
  reason: outside,
  proof: inside,
  source: inside,
  instance: inside,
  person: outside,
  person_issuer: outside,
  person_subject: outside,
  signed_in_at: inside,
  node: inside,
  detail: fc.jsonValue({ stringUnit: 'grapheme' }).map(canonicalJson),
  parent: inside,
  lifetime: fc.nat(),
} satisfies { readonly [Member in keyof AuditEvent]-?: fc.Arbitrary<AuditEvent[Member]> };
const event = fc.record<AuditEvent>(MEMBERS, { requiredKeys: ['id', 'at', 'type', 'outcome'] });

const MINIMAL: AuditEvent = {
  id: 'evt_1',
  at: '2026-11-21T22:54:05.001Z',
  type: 'token.refused',
  outcome: 'refused',
};

describe('an event of the log', () => {
  it('is written as RFC 8785 wants it, whatever comes from outside', () => {
    fc.assert(
      fc.property(event, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (given, seq) => {
        const text = encodeEvent(given, seq);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads back as it was, but for halves of surrogate pairs', () => {
    fc.assert(
      fc.property(event, (given) => {
        const expected = Object.fromEntries(
          Object.entries(given)
            .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
            .map(([name, value]) => {
              if (typeof value === 'number') return [name, value];
              return [name, name === 'detail' ? JSON.parse(value) : value.toWellFormed()];
            }),
        );
        expect(JSON.parse(encodeEvent(given, 7))).toEqual({ ...expected, seq: 7 });
      }),
    );
  });

  it('is one line of UTF-8, so that nothing in it can pass for a trailer', () => {
    fc.assert(
      fc.property(event, (given) => {
        const text = encodeEvent(given, 1);
        expect(text).not.toMatch(/[\n\r]/);
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
      }),
    );
  });

  it('keeps the reason in the words of who gave it', () => {
    const reason = 'the "old" key leaked, see C:\\tickets","type":"forged';
    const read = JSON.parse(encodeEvent({ ...MINIMAL, reason }, 1)) as { reason: string; type: string };
    expect(read.reason).toBe(reason);
    expect(read.type).toBe('token.refused');
  });

  it('has its members in one order and leaves out what is not known', () => {
    expect(encodeEvent(MINIMAL, 3)).toBe(
      '{"at":"2026-11-21T22:54:05.001Z","id":"evt_1","outcome":"refused","seq":3,"type":"token.refused"}',
    );
    expect(encodeEvent({ ...MINIMAL, access: 'acs_1', node: 'n', instance: 'i', detail: '{"a":1}' }, 4)).toBe(
      '{"access":"acs_1","at":"2026-11-21T22:54:05.001Z","detail":{"a":1},"id":"evt_1","instance":"i",' +
        '"node":"n","outcome":"refused","seq":4,"type":"token.refused"}',
    );
  });

  it('of one of many tokens is written like one alone, whatever differs from the one before', () => {
    const issued = fc.record({ event, jti: inside, requestId: inside, seq: fc.nat() });
    fc.assert(
      fc.property(issued, event, fc.array(fc.record({ id: inside, seq: fc.nat() })), (first, other, more) => {
        const fixed = {
          type: 'token.issued',
          credential: 'crd_1',
          jti: first.jti,
          request_id: first.requestId,
        };
        const one: AuditEvent = { ...first.event, ...fixed };
        const texts = more.map(({ id, seq }) => {
          const next = { ...one, id, jti: id, request_id: `req_${id}` };
          return [
            encodeEvent(next, seq + 1),
            { ...JSON.parse(encodeEvent(next, seq + 1)) },
            next,
            seq + 1,
          ] as const;
        });
        for (const [text, read, next, seq] of texts) {
          expect(canonicalJson(read)).toBe(text);
          expect(read).toMatchObject({
            id: next.id,
            jti: next.id,
            request_id: next.request_id,
            at: next.at,
            seq,
          });
        }
        // Each member by itself, after a frame was made for the others.
        for (const name of Object.keys(other) as (keyof AuditEvent)[]) {
          if (name === 'type') continue;
          const changed: AuditEvent = { ...one, [name]: other[name] };
          const { type: _, ...asAny } = JSON.parse(encodeEvent(changed, 9));
          const { type: __, ...alone } = JSON.parse(encodeEvent({ ...changed, type: 'token.refused' }, 9));
          expect(asAny).toEqual(alone);
          encodeEvent(one, 9);
          encodeEvent(one, 10);
        }
      }),
      { numRuns: 200 },
    );
  });
});
