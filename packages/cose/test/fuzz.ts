// Bytes that nobody should send, into everything that reads a token or a request: made by fast-check, each cut from good ones or made up.
import fc from 'fast-check';
import { symmetricCoseKey } from '../src/cose-key.ts';
import { readCose } from '../src/cose-message.ts';
import { readCwtClaims, writeCwtClaims } from '../src/cwt-claims.ts';
import { kidOfPskIdentity, pskIdentity } from '../src/pop-key.ts';
import { draftSign1 } from '../src/sign1.ts';
import { type CborValue, decodeStrict, encodeCbor } from '../src/strict-cbor.ts';

const KID = Buffer.from('3d027833fc6267ce', 'hex');
const CLAIMS = writeCwtClaims({
  iss: 'https://as.test',
  sub: 'lamp',
  aud: 'coaps://lock.test',
  exp: 1_800_000_600,
  iat: 1_800_000_000,
  cti: Uint8Array.of(1, 2, 3),
  scope: 'lock:open lock:read',
  kid: KID,
  crd: 'crd_1',
  acs: 'acs_1',
});
/** A token, its claims, a request, a name of a key; and those in other encodings. */
const GOOD: readonly Uint8Array[] = [
  draftSign1(-7, 'kid', CLAIMS).finish(new Uint8Array(64)),
  CLAIMS,
  encodeCbor(
    new Map<number, CborValue>([
      [5, 'coaps://lock.test'],
      [9, 'a b'],
      [4, new Map([[1, symmetricCoseKey(KID)]])],
    ]),
  ),
  pskIdentity(KID),
  Buffer.from('bf08bf01bf010402483d027833fc6267ceffffff', 'hex'),
  Buffer.from('9f9f9f01ffff59000161ff', 'hex'),
];
const ANY = { maxBytes: 4096, maxDepth: 4, encoding: 'any' } as const;

/** Bytes changed, left out, put in, cut off, or anything. */
const spoiled: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...GOOD),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })), {
          maxLength: 4,
        }),
      )
      .map(([bytes, changes]) => {
        let out = Buffer.from(bytes);
        for (const [where, byte, how] of changes) {
          const at = out.length === 0 ? 0 : where % out.length;
          if (how === 0 && out.length > 0) out[at] = byte;
          else if (how === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1)]);
          else if (how === 2) out = Buffer.concat([out.subarray(0, at), Buffer.of(byte), out.subarray(at)]);
          else out = out.subarray(0, at);
        }
        return new Uint8Array(out);
      }),
  },
  fc.uint8Array({ maxLength: 300 }),
);

/** How often a reader threw, and how often one took something that it would write in another length. */
export function fuzzCbor(inputs: number): { readonly thrown: number; readonly respelled: number } {
  let thrown = 0;
  let respelled = 0;
  fc.assert(
    fc.property(spoiled, (bytes) => {
      try {
        const result = decodeStrict(bytes);
        if (result.ok && result.tags.length === 0 && encodeCbor(result.value).length !== bytes.length)
          respelled++;
        decodeStrict(bytes, ANY);
        readCose(bytes);
        readCwtClaims(bytes);
        kidOfPskIdentity(bytes);
      } catch {
        thrown++;
      }
    }),
    { numRuns: inputs },
  );
  return { thrown, respelled };
}
