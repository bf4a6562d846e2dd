import { createECDH, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createCertificationRequest } from '@countersign/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasOpenssl, OpensslEstate } from '../../test/openssl-estate.ts';
import { MAX_REQUEST_BYTES, readCertificationRequest, type RequestFault } from './certification-request.ts';
import { bitString, element, objectIdentifier, sequence, smallInteger } from './der-writer.ts';
import { readPem } from './pem.ts';

const ec = (namedCurve = 'P-256'): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const derOf = (pem: string): Uint8Array => (readPem(pem, 'CERTIFICATE REQUEST') ?? [])[0] as Uint8Array;
const good = (): Uint8Array => derOf(createCertificationRequest(ec()));

const ECDSA = (hash: number): Uint8Array => sequence(objectIdentifier(`1.2.840.10045.4.3.${hash}`));

/** A request made by hand: with this key in it, signed by that one. */
function made(
  spki: Uint8Array,
  key: KeyObject,
  { hash = 'sha256', algorithm = ECDSA(2), more = [] as readonly Uint8Array[], version = 0 } = {},
): Uint8Array {
  const info = sequence(smallInteger(version), sequence(), spki, Uint8Array.of(0xa0, 0), ...more);
  return sequence(info, algorithm, bitString(sign(hash, info, key)));
}
const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: 'der', type: 'spki' });

describe('a certification request', () => {
  it.each([
    ['P-256', () => ec()],
    ['P-384', () => ec('P-384')],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
    ['RSA of 2,048 bits', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['RSA of 3,072 bits', () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey],
  ] as const)('for a key on %s is taken, with just that key', (_, make) => {
    const key = make();
    const reading = readCertificationRequest(derOf(createCertificationRequest(key)));
    expect(reading).toMatchObject({ ok: true });
    if (reading.ok) expect(Buffer.from(reading.request.publicKey)).toEqual(spkiOf(key));
  });

  it('with a compressed point is certified with the whole one', () => {
    const key = ec();
    const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    const short = createECDH('prime256v1');
    short.setPrivateKey(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
    const algorithm = Buffer.from('301306072a8648ce3d020106082a8648ce3d030107', 'hex');
    const spki = sequence(algorithm, bitString(short.getPublicKey(null, 'compressed')));
    const reading = readCertificationRequest(made(spki, key));
    expect(reading.ok && Buffer.from(reading.request.publicKey)).toEqual(
      Buffer.from(sequence(algorithm, bitString(point))),
    );
  });

  const HOSTILE: readonly (readonly [string, RequestFault, () => Uint8Array])[] = [
    ['signed by another key', 'not_proved', () => made(spkiOf(ec()), ec())],
    ['with the signature of another request', 'not_proved', () => spliced(good(), good())],
    ['on P-521', 'key_not_allowed', () => made(spkiOf(ec('P-521')), ec('P-521'))],
    ['on secp256k1', 'key_not_allowed', () => made(spkiOf(ec('secp256k1')), ec('secp256k1'))],
    ['on X25519', 'key_not_allowed', () => made(spkiOf(generateKeyPairSync('x25519').privateKey), ec())],
    ['for Ed448', 'key_not_allowed', () => made(spkiOf(generateKeyPairSync('ed448').privateKey), ec())],
    ['with RSA of 1,024 bits', 'weak', () => rsa({ modulusLength: 1024 })],
    ['with RSA and the exponent 3', 'weak', () => rsa({ modulusLength: 2048, publicExponent: 3 })],
    ['with the point at infinity', 'key_not_allowed', () => made(INFINITY, ec())],
    ['with a point that is on no curve', 'key_not_allowed', () => made(offCurve(), ec())],
    ['signed with SHA-1', 'weak', () => signedWithSha1()],
    ['of another version', 'malformed', () => withVersion(1)],
    ['with something behind it', 'malformed', () => Buffer.concat([good(), Buffer.of(0)])],
    ['that is cut off', 'malformed', () => good().subarray(0, -1)],
    ['that is empty', 'malformed', () => new Uint8Array(0)],
    ['that is too large', 'malformed', () => element(0x30, new Uint8Array(MAX_REQUEST_BYTES))],
    ['with more behind its attributes', 'malformed', () => withMore()],
  ];

  it.each(HOSTILE)('%s is refused: %s', (_, fault, make) => {
    expect(readCertificationRequest(make())).toEqual({ ok: false, fault });
  });

  it.runIf(hasOpenssl)('by openssl is read whatever it asks for, and nothing of that is kept', () => {
    const estate = new OpensslEstate();
    try {
      const names = 'subjectAltName=DNS:admin.example,URI:spiffe://td/admin';
      const asked = ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
      const how = [
        '-keyout',
        '/dev/null',
        '-subj',
        '/CN=admin',
        '-addext',
        names,
        '-addext',
        'basicConstraints=CA:true',
      ];
      const { status, text } = estate.run([...asked, ...how]);
      expect(status, text).toBe(0);
      const pem = text.slice(text.indexOf('-----BEGIN CERTIFICATE REQUEST'));
      const end = pem.indexOf('-----END CERTIFICATE REQUEST-----');
      const reading = readCertificationRequest(
        derOf(`${pem.slice(0, end)}-----END CERTIFICATE REQUEST-----\n`),
      );
      expect(reading.ok && Object.keys(reading.request).toSorted()).toEqual(['key', 'publicKey']);
    } finally {
      estate.close();
    }
  });

  it('changed in one place is never taken: ten thousand of them, none throws', () => {
    const base = good();
    let taken = 0;
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const copy = Uint8Array.from(base);
        copy[at] = (copy[at] as number) ^ change;
        if (readCertificationRequest(copy).ok) taken++;
      }),
      { numRuns: 10_000 },
    );
    expect(taken).toBe(0);
  });

  it('of random bytes, and of random elements within elements, is refused and never throws', () => {
    const nested = fc.letrec<{ node: Uint8Array }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(fc.integer({ min: 0, max: 255 }), fc.array(tie('node'), { maxLength: 4 }))
          .map(([tag, parts]) => element(tag, Buffer.concat(parts))),
      ),
    })).node;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), nested), (bytes) => {
        expect(readCertificationRequest(bytes).ok).toBe(false);
      }),
      { numRuns: 10_000 },
    );
  });
});

const INFINITY = Buffer.from('3019301306072a8648ce3d020106082a8648ce3d03010703020000', 'hex');

function offCurve(): Uint8Array {
  const spki = Buffer.from(spkiOf(ec()));
  spki[spki.length - 1] = (spki[spki.length - 1] as number) ^ 1;
  return spki;
}

function rsa(size: { modulusLength: number; publicExponent?: number }): Uint8Array {
  const { privateKey } = generateKeyPairSync('rsa', size);
  return derOf(createCertificationRequest(privateKey));
}

function signedWithSha1(): Uint8Array {
  const key = ec();
  return made(spkiOf(key), key, { hash: 'sha1', algorithm: ECDSA(1).subarray() });
}

function withVersion(version: number): Uint8Array {
  const key = ec();
  return made(spkiOf(key), key, { version });
}

function withMore(): Uint8Array {
  const key = ec();
  return made(spkiOf(key), key, { more: [Uint8Array.of(0x05, 0)] });
}

/** What is signed of one, the signature of another. */
function spliced(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bits = Buffer.from(other).subarray(-74);
  const copy = Buffer.from(one);
  if (copy.length !== other.length)
    return Buffer.concat([copy.subarray(0, -1), Buffer.of((copy.at(-1) as number) ^ 1)]);
  bits.copy(copy, copy.length - bits.length);
  return copy;
}
