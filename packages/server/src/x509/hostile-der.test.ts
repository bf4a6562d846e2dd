// Certificates and lists that are whole as encodings and wrong as what they say: deeper than bytes at random get. Reading them,
// looking for a path through them and asking them for names ends, quickly, in an answer.
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { clientAuthority, element, onlyBelow } from '../../test/client-authority.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { DerReader } from './der.ts';
import { validatePath } from './path-validation.ts';
import { readPem } from './pem.ts';
import { revocationOf } from './revocation.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';
import { type SubjectField, subjectMatch } from './subject-match.ts';

const NOW = Date.UTC(2026, 10, 29);
const authority = clientAuthority(NOW, 'clients', [onlyBelow('good.test')]);
const leaf = authority.issue({ subject: 'billing', dns: ['a.good.test', '*.b.good.test'] });
const list = (readPem(authority.crl([leaf]), 'X509 CRL') as Uint8Array[])[0] as Uint8Array;

/** An element with those that it holds, also where an octet or bit string holds one. */
interface Node {
  readonly tag: number;
  readonly before: Uint8Array;
  readonly inside: readonly Node[] | undefined;
  readonly content: Uint8Array;
}

function nodesIn(bytes: Uint8Array): readonly Node[] {
  const reader = new DerReader(bytes);
  const found: Node[] = [];
  while (!reader.ended) {
    const { tag, content } = reader.next();
    const skipped = tag === 0x03 ? 1 : 0;
    const inside = tag & 0x20 ? nodesIn(content) : holds(tag, content.subarray(skipped));
    found.push({ tag, content, inside, before: content.subarray(0, skipped) });
  }
  return found;
}

function holds(tag: number, content: Uint8Array): readonly Node[] | undefined {
  if ((tag !== 0x03 && tag !== 0x04) || content[0] !== 0x30) return undefined;
  try {
    return nodesIn(content);
  } catch {
    return undefined;
  }
}

function encoded({ tag, before, inside, content }: Node): Uint8Array {
  return inside === undefined ? element(tag, content) : element(tag, before, ...inside.map(encoded));
}

const count = ({ inside = [] }: Node): number => inside.reduce((sum, each) => sum + count(each), 1);

/** The tree with its node of this number (depth first) put through `change`. */
function changedAt(node: Node, at: number, change: (node: Node) => readonly Node[]): readonly Node[] {
  if (at === 0) return change(node);
  let left = at - 1;
  const inside = (node.inside ?? []).flatMap((each) => {
    const size = count(each);
    const here = left >= 0 && left < size ? changedAt(each, left, change) : [each];
    left -= size;
    return here;
  });
  return [{ ...node, inside }];
}

const TAGS = [1, 2, 3, 4, 5, 6, 10, 12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1c, 0x1e, 0x30, 0x31, 0x80];
const MORE_TAGS = [0x81, 0x82, 0x86, 0x87, 0x88, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0x00, 0x1f];
const CONTENTS = [
  '',
  '00',
  'ff',
  '0000',
  '8000',
  '0080',
  'ffffffffff',
  '80', // lengths and signs at their edges
  '0600',
  '551d1e',
  '551d13',
  '551d11',
  '2a8648ce3d0201',
  '2a864886f70d010101',
  '2a864886f70d01010a',
  '2b6570',
  '06082a8648ce3d030107',
  '2a2e676f6f642e74657374',
  '612e676f6f642e7465737400',
  'd800dc00',
  '0000d800',
  '0a000001',
  '3939313233313233353935395a',
  '32303530303130313030303030305a',
  '3236303233303030303030305a',
]; // prettier-ignore

type Edit = { readonly at: number; readonly change: (node: Node) => readonly Node[] };

const edit = (pool: readonly Node[]): fc.Arbitrary<Edit> =>
  fc.record({
    at: fc.nat(400),
    change: fc.oneof(
      fc.constantFrom(...TAGS, ...MORE_TAGS).map((tag) => (node: Node) => [{ ...node, tag }]),
      fc
        .constantFrom(...CONTENTS)
        .map((hex) => (node: Node) => [{ ...node, inside: undefined, content: Buffer.from(hex, 'hex') }]),
      fc
        .uint8Array({ maxLength: 24 })
        .map((content) => (node: Node) => [{ ...node, inside: undefined, content }]),
      fc.constant(() => []),
      fc.integer({ min: 2, max: 40 }).map((times) => (node: Node) => Array<Node>(times).fill(node)),
      fc.constantFrom(...pool).map((other) => (node: Node) => [node, other]),
      fc.constantFrom(...pool).map((other) => () => [other]),
      fc.constant((node: Node) => [{ ...node, inside: node.inside?.toReversed() }]),
    ),
  });

const all = (node: Node): readonly Node[] => [node, ...(node.inside ?? []).flatMap(all)];
const treeOf = (der: Uint8Array): Node => nodesIn(der)[0] as Node;
const pool = [leaf.der, authority.der, list].flatMap((der) => all(treeOf(der)));

const mutated = (der: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.array(edit(pool), { minLength: 1, maxLength: 4 }).map((edits) => {
    let root = treeOf(der);
    for (const { at, change } of edits) root = changedAt(root, at % count(root), change)[0] ?? root;
    return encoded(root);
  });

const MATCHES = (
  [
    ['subject_dn', 'CN=billing'],
    ['san_dns', 'a.good.test'],
    ['san_uri', 'spiffe://good.test/a'],
    ['san_ip', '10.0.0.1'],
    ['san_email', 'a@good.test'],
  ] satisfies [SubjectField, string][]
).map(([field, value]) => subjectMatch(field, value));

function certificate(der: Uint8Array): Certificate {
  const reading = parseCertificate(der);
  if (!reading.ok) throw new Error(reading.fault);
  return reading.certificate;
}
const [good, above] = [certificate(leaf.der), certificate(authority.der)];
const known = parseRevocationList(list) as { list: RevocationList };

/** The slowest of all, ms: what one request of a stranger may cost. */
let slowest = 0;
function timed(work: () => void): void {
  const began = performance.now();
  work();
  slowest = Math.max(slowest, performance.now() - began);
}
afterAll(() => expect(slowest).toBeLessThan(2000));

const RUNS = { numRuns: 3000, interruptAfterTimeLimit: 20_000 };

test('what is taken apart and put together again is the same', () => {
  for (const der of [leaf.der, authority.der, list])
    expect(Buffer.compare(encoded(treeOf(der)), der)).toBe(0);
});

test('as the client’s own: none but the real one is believed', { timeout: 60_000 }, () => {
  const trust = { authorities: [above], revocation: undefined };
  fc.assert(
    fc.property(mutated(leaf.der), (der) => {
      timed(() => {
        const reading = parseCertificate(der);
        if (!reading.ok) return;
        for (const match of MATCHES) if (match.ok) match.match(reading.certificate);
        const { ok } = validatePath([reading.certificate, above], trust, NOW);
        if (ok) expect(Buffer.compare(reading.certificate.tbs, good.tbs)).toBe(0);
      });
    }),
    RUNS,
  );
});

test('as an authority that came along, or that is trusted', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(mutated(authority.der), (der) => {
      timed(() => {
        const reading = parseCertificate(der);
        if (!reading.ok) return;
        const revocation = revocationOf([known.list]);
        validatePath([good, reading.certificate], { authorities: [above], revocation }, NOW);
        validatePath([good], { authorities: [reading.certificate], revocation }, NOW);
      });
    }),
    RUNS,
  );
});

test('as a revocation list: whoever is in the real one is never let in', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(mutated(list), (der) => {
      timed(() => {
        const reading = parseRevocationList(der);
        if (!reading.ok) return;
        const trust = { authorities: [above], revocation: revocationOf([reading.list]) };
        expect(validatePath([good], trust, NOW).ok).toBe(false);
      });
    }),
    RUNS,
  );
});
