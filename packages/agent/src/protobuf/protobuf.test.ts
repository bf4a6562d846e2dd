import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { x509BundlesResponse, x509SvidResponse } from '../workload-api/messages.ts';
import { MalformedMessage, readFields, textOf } from './reader.ts';
import { writeStruct } from './struct.ts';
import { MessageWriter } from './writer.ts';

describe('a message', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 536_870_911 }), fc.uint8Array({ maxLength: 300 })), {
          maxLength: 20,
        }),
        fc.nat(2 ** 40),
        (fields, number) => {
          const writer = new MessageWriter().varint(1, number);
          for (const [field, value] of fields) writer.bytes(field, value);
          const [first, ...rest] = readFields(writer.finish());
          expect(first).toEqual({ field: 1, kind: 'number', value: number });
          expect(rest.map(({ field, value }) => [field, [...(value as Uint8Array)]])).toEqual(
            fields.map(([field, value]) => [field, [...value]]),
          );
        },
      ),
    );
  });

  it('of any bytes is read or refused, never more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readFields(bytes).forEach((field) => field.kind === 'bytes' && textOf(field));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['with more fields than anybody sends', Buffer.alloc(4000, Buffer.from([8, 1]))],
    ['with a number of eleven bytes', Buffer.from([8, ...Array<number>(11).fill(255)])],
    ['with field 0', Buffer.from([2, 0])],
    ['with a group', Buffer.from([11])],
    ['that ends early', Buffer.from([10, 5, 1])],
  ])('%s is refused', (_what, bytes) => {
    expect(() => readFields(bytes)).toThrow(MalformedMessage);
  });

  it('has text that is UTF-8', () => {
    const [field] = readFields(Buffer.from([10, 1, 0xff]));
    expect(() => field && textOf(field)).toThrow('not UTF-8');
  });
});

it('a Struct is written as the protobuf documentation has it', () => {
  const writer = new MessageWriter();
  writeStruct(writer, { a: null, b: 1.5, c: 'x', d: true, e: ['y'], f: { g: false } });
  expect(writer.finish().toString('hex')).toBe(
    [
      '0a07' + '0a0161' + '1202' + '0800',
      '0a0e' + '0a0162' + '1209' + '11000000000000f83f',
      '0a08' + '0a0163' + '1203' + '1a0178',
      '0a07' + '0a0164' + '1202' + '2001',
      '0a0c' + '0a0165' + '1207' + '32050a031a0179',
      '0a10' + '0a0166' + '120b' + '2a090a070a016712022000',
    ].join(''),
  );
});

it('X.509 responses carry chains and bundles one certificate after the other', () => {
  const svid = {
    spiffeId: 'spiffe://a/b',
    chain: [Buffer.of(1), Buffer.of(2)],
    key: Buffer.of(3),
    bundle: [Buffer.of(4), Buffer.of(5)],
    hint: '',
  };
  const bundles = new Map([['spiffe://c', Buffer.of(6)]]);
  const [first, crl, federated] = readFields(
    x509SvidResponse({ svids: [svid], crl: [Buffer.of(7)], federatedBundles: bundles }),
  );
  const inside = first?.kind === 'bytes' ? readFields(first.value) : [];
  expect(inside.map(({ field, value }) => [field, Buffer.from(value as Uint8Array).toString('hex')])).toEqual(
    [
      [1, Buffer.from('spiffe://a/b').toString('hex')],
      [2, '0102'],
      [3, '03'],
      [4, '0405'],
    ],
  );
  expect([crl?.field, federated?.field]).toEqual([2, 3]);
  expect(readFields(x509BundlesResponse([Buffer.of(7)], bundles)).map(({ field }) => field)).toEqual([1, 2]);
});
