// RFC 5280 path validation against `openssl verify`: never laxer, and stricter only where a row says so.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CA_EXTENSIONS,
  hasOpenssl,
  LEAF_EXTENSIONS,
  type Made,
  OpensslEstate,
  rsaKey,
  type Wanted,
} from '../../test/openssl-estate.ts';
import { basicConstraints, signCertificate, subjectAltName } from '../http/certificate.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { type PathFault, validatePath } from './path-validation.ts';
import { readPem } from './pem.ts';
import { revocationOf } from './revocation.ts';
import { parseRevocationList } from './revocation-list.ts';

const DAY = 86_400_000;
const estate = hasOpenssl ? new OpensslEstate() : undefined;
afterAll(() => estate?.close());

type Verdict = 'ok' | 'malformed' | PathFault;

interface Case {
  readonly leaf: Made;
  readonly anchors?: readonly Made[];
  readonly untrusted?: readonly Made[];
  readonly crls?: readonly string[];
  readonly now?: number;
}

let root: Made;
let other: Made;
let middle: Made;

beforeAll(() => {
  if (estate === undefined) return;
  root = estate.make('root', { extensions: CA_EXTENSIONS });
  other = estate.make('other', { extensions: CA_EXTENSIONS });
  middle = estate.make('middle', { issuer: root, extensions: CA_EXTENSIONS });
});

function make(name: string, wanted: Wanted): Made {
  return (estate as OpensslEstate).make(name, wanted);
}

let leaves = 0;
function leaf(wanted: Wanted = {}): Made {
  return make(`leaf-${leaves++}`, { issuer: root, extensions: LEAF_EXTENSIONS, ...wanted });
}
function withExtension(line: string): readonly string[] {
  const name = line.split('=')[0];
  return [...LEAF_EXTENSIONS.filter((each) => !each.startsWith(`${name}=`)), line];
}
function authority(name: string, more: readonly string[], wanted: Wanted = {}): Made {
  const names = more.map((line) => line.split('=')[0]);
  const kept = CA_EXTENSIONS.filter((line) => !names.includes(line.split('=')[0]));
  return make(name, { extensions: [...kept, ...more], ...wanted });
}

function certificates(made: readonly Made[]): readonly Certificate[] | undefined {
  const read = made.map(({ der }) => parseCertificate(der));
  return read.every((each) => each.ok) ? read.map((each) => each.certificate) : undefined;
}

function ours({ leaf, anchors = [root], untrusted = [], crls = [], now = Date.now() }: Case): Verdict {
  const chain = certificates([leaf, ...untrusted]);
  if (chain === undefined) return 'malformed';
  const lists = crls.map((pem) => parseRevocationList((readPem(pem, 'X509 CRL') ?? [])[0] as Uint8Array));
  const trust = {
    authorities: certificates(anchors) ?? [],
    revocation: revocationOf(lists.flatMap((each) => (each.ok ? [each.list] : []))),
  };
  const result = validatePath(chain, trust, now);
  return result.ok ? 'ok' : result.fault;
}

let files = 0;
function theirs({ leaf, anchors = [root], untrusted = [], crls = [], now = Date.now() }: Case): boolean {
  const run = estate as OpensslEstate;
  const bundle = (made: readonly Made[]): string =>
    run.write(`bundle-${files++}.pem`, made.map(({ pem }) => pem).join(''));
  const args = [
    'verify',
    '-auth_level',
    '2',
    '-purpose',
    'sslclient',
    '-partial_chain',
    '-no-CApath',
    '-no-CAstore',
  ];
  args.push('-attime', `${Math.floor(now / 1000)}`, '-CAfile', bundle(anchors));
  if (untrusted.length > 0) args.push('-untrusted', bundle(untrusted));
  if (crls.length > 0)
    args.push('-crl_check_all', '-CRLfile', run.write(`crls-${files++}.pem`, crls.join('')));
  return run.run([...args, leaf.file]).status === 0;
}

/** A certificate with bytes that openssl's command line will not write. */
function crafted(name: string, subject: string, extensions: readonly Uint8Array[] = []): Made {
  const signer = createPrivateKey(readFileSync(root.keyFile));
  const own = leaf();
  const now = Date.now();
  const pem = signCertificate(
    {
      serialNumber: Uint8Array.of(7, leaves),
      issuer: 'root',
      subject,
      notBefore: now - DAY,
      notAfter: now + DAY,
      publicKey: createPublicKey(createPrivateKey(readFileSync(own.keyFile))),
      extensions: [basicConstraints(false), ...extensions],
    },
    signer,
  );
  const run = estate as OpensslEstate;
  return run.read(name, run.write(`${name}.pem`, `${pem}\n`), own.keyFile);
}

/** `stricter`: openssl takes it and we do not, for the reason in the title. */
type Row = readonly [title: string, verdict: Verdict, make: () => Case, stricter?: 'stricter'];

const ROWS: readonly Row[] = [
  ['issued by the authority', 'ok', () => ({ leaf: leaf() })],
  [
    'through an intermediate that came along',
    'ok',
    () => ({ leaf: leaf({ issuer: middle }), untrusted: [middle] }),
  ],
  ['through an intermediate that did not', 'untrusted', () => ({ leaf: leaf({ issuer: middle }) })],
  ['an intermediate alone is trusted', 'ok', () => ({ leaf: leaf({ issuer: middle }), anchors: [middle] })],
  [
    'the root came along as well',
    'ok',
    () => ({ leaf: leaf({ issuer: middle }), untrusted: [root, other, middle] }),
  ],
  ['two authorities are trusted', 'ok', () => ({ leaf: leaf(), anchors: [other, root] })],
  ['version 1 without extensions', 'ok', () => ({ leaf: leaf({ extensions: [] }) })],
  ['expired', 'expired', () => ({ leaf: leaf({ days: 2 }), now: Date.now() + 3 * DAY })],
  ['not yet valid', 'not_yet_valid', () => ({ leaf: leaf(), now: Date.now() - 3_600_000 })],
  [
    'the intermediate is expired',
    'expired',
    () => {
      const short = authority('short', [], { issuer: root, days: 1 });
      return { leaf: leaf({ issuer: short }), untrusted: [short], now: Date.now() + 2 * DAY };
    },
  ],
  [
    'the authority is expired',
    'expired',
    () => {
      const short = authority('short-root', [], { days: 1 });
      return { leaf: leaf({ issuer: short }), anchors: [short], now: Date.now() + 2 * DAY };
    },
  ],
  [
    'another purpose',
    'wrong_purpose',
    () => ({ leaf: leaf({ extensions: withExtension('extendedKeyUsage=serverAuth') }) }),
  ],
  [
    'several purposes, ours among them',
    'ok',
    () => ({ leaf: leaf({ extensions: withExtension('extendedKeyUsage=serverAuth,clientAuth') }) }),
  ],
  [
    'any purpose is not this one',
    'wrong_purpose',
    () => ({ leaf: leaf({ extensions: withExtension('extendedKeyUsage=2.5.29.37.0') }) }),
  ],
  [
    'the intermediate is for servers only',
    'wrong_purpose',
    () => {
      const servers = authority('servers', ['extendedKeyUsage=serverAuth'], { issuer: root });
      return { leaf: leaf({ issuer: servers }), untrusted: [servers] };
    },
  ],
  [
    'the key may not sign',
    'wrong_purpose',
    () => ({ leaf: leaf({ extensions: withExtension('keyUsage=critical,keyEncipherment') }) }),
  ],
  [
    'the key may only agree on keys',
    'wrong_purpose',
    () => ({ leaf: leaf({ extensions: withExtension('keyUsage=critical,keyAgreement') }) }),
    'stricter',
  ],
  ['another authority', 'untrusted', () => ({ leaf: leaf(), anchors: [other] })],
  [
    'another authority of the same name',
    'bad_signature',
    () => {
      const twin = make('twin', {
        subject: '/CN=root',
        extensions: [...CA_EXTENSIONS.slice(0, 2), 'subjectKeyIdentifier=none'],
      });
      return { leaf: leaf({ extensions: LEAF_EXTENSIONS.slice(0, 3) }), anchors: [twin] };
    },
  ],
  [
    'another authority of the same name, with key identifiers',
    'untrusted',
    () => {
      const twin = make('twin-2', { subject: '/CN=root', extensions: CA_EXTENSIONS });
      return { leaf: leaf(), anchors: [twin] };
    },
  ],
  [
    'signed by itself under the same name',
    'untrusted',
    () => ({ leaf: make('lonely', { subject: '/CN=leaf', extensions: LEAF_EXTENSIONS.slice(0, 3) }) }),
  ],
  [
    'a leaf that is an authority',
    'wrong_purpose',
    () => ({
      leaf: leaf({
        extensions: ['basicConstraints=critical,CA:true', 'keyUsage=critical,digitalSignature,keyCertSign'],
      }),
    }),
    'stricter',
  ],
  [
    'a leaf that signed another',
    'not_an_authority',
    () => {
      const parent = leaf();
      return { leaf: leaf({ issuer: parent, extensions: LEAF_EXTENSIONS.slice(0, 3) }), untrusted: [parent] };
    },
  ],
  [
    'a leaf that is trusted and signed another',
    'not_an_authority',
    () => {
      const parent = leaf();
      return { leaf: leaf({ issuer: parent, extensions: LEAF_EXTENSIONS.slice(0, 3) }), anchors: [parent] };
    },
  ],
  [
    'an authority that may not sign certificates',
    'not_an_authority',
    () => {
      const crlOnly = authority('crl-only', ['keyUsage=critical,cRLSign'], { issuer: root });
      return { leaf: leaf({ issuer: crlOnly }), untrusted: [crlOnly] };
    },
  ],
  [
    'an authority of version 1',
    'not_an_authority',
    () => {
      const csr = make('v1', { issuer: root, extensions: [] });
      return { leaf: leaf({ issuer: csr, extensions: LEAF_EXTENSIONS.slice(0, 3) }), untrusted: [csr] };
    },
  ],
  [
    'a path that is longer than the authority allows',
    'not_an_authority',
    () => {
      const none = authority('path-zero', ['basicConstraints=critical,CA:true,pathlen:0'], { issuer: root });
      const below = authority('below-zero', [], { issuer: none });
      return { leaf: leaf({ issuer: below }), untrusted: [none, below] };
    },
  ],
  [
    'a path that is as long as the authority allows',
    'ok',
    () => {
      const one = authority('path-one', ['basicConstraints=critical,CA:true,pathlen:1'], { issuer: root });
      const below = authority('below-one', [], { issuer: one });
      return { leaf: leaf({ issuer: below }), untrusted: [one, below] };
    },
  ],
  [
    'a critical extension that nobody knows',
    'unknown_critical_extension',
    () => ({ leaf: leaf({ extensions: [...LEAF_EXTENSIONS, '1.2.3.4=critical,ASN1:NULL'] }) }),
  ],
  [
    'an extension that nobody knows',
    'ok',
    () => ({ leaf: leaf({ extensions: [...LEAF_EXTENSIONS, '1.2.3.4=ASN1:NULL'] }) }),
  ],
  [
    'a critical policy constraint',
    'unknown_critical_extension',
    () => ({
      leaf: leaf({ extensions: [...LEAF_EXTENSIONS, 'policyConstraints=critical,requireExplicitPolicy:0'] }),
    }),
    'stricter',
  ],
  [
    'a policy',
    'ok',
    () => ({ leaf: leaf({ extensions: [...LEAF_EXTENSIONS, 'certificatePolicies=critical,1.2.3.4'] }) }),
  ],
  ['SHA-1', 'weak', () => ({ leaf: leaf({ sign: ['-sha1'] }) })],
  [
    'SHA-1 with RSA',
    'weak',
    () => {
      const rsa = authority('rsa-root', [], { key: rsaKey(2048) });
      return { leaf: leaf({ issuer: rsa, sign: ['-sha1'] }), anchors: [rsa] };
    },
  ],
  ['RSA of 1024 bits', 'weak', () => ({ leaf: leaf({ key: rsaKey(1024) }) })],
  [
    'RSA of 1024 bits above',
    'weak',
    () => {
      const small = authority('small-root', [], { key: rsaKey(1024) });
      return { leaf: leaf({ issuer: small }), anchors: [small] };
    },
  ],
  [
    'RSA of 2048 bits, PKCS #1',
    'ok',
    () => {
      const rsa = authority('rsa-2', [], { key: rsaKey(2048) });
      return { leaf: leaf({ issuer: rsa, key: rsaKey(2048) }), anchors: [rsa] };
    },
  ],
  [
    'RSA-PSS',
    'ok',
    () => {
      const rsa = authority('rsa-3', [], { key: rsaKey(2048) });
      const sign = ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
      return { leaf: leaf({ issuer: rsa, sign }), anchors: [rsa] };
    },
  ],
  [
    'RSA-PSS with another salt',
    'unusable',
    () => {
      const rsa = authority('rsa-4', [], { key: rsaKey(2048) });
      const sign = ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'];
      return { leaf: leaf({ issuer: rsa, sign }), anchors: [rsa] };
    },
    'stricter',
  ],
  [
    'Ed25519',
    'ok',
    () => {
      const ed = authority('ed-root', [], { key: ['-algorithm', 'ED25519'], sign: [] });
      return { leaf: leaf({ issuer: ed, key: ['-algorithm', 'ED25519'], sign: [] }), anchors: [ed] };
    },
  ],
  ...['P-521', 'ED448'].map(
    (name): Row => [
      name,
      'ok',
      () => {
        const ec = name === 'P-521';
        const key = ec
          ? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']
          : ['-algorithm', 'ED448'];
        const sign = ec ? ['-sha512'] : [];
        const big = authority(`root-${name}`, [], { key, sign });
        return { leaf: leaf({ issuer: big, key, sign }), anchors: [big] };
      },
    ],
  ),
  [
    'a curve that is spelled out',
    'unusable',
    () => {
      const key = [
        '-algorithm',
        'EC',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-pkeyopt',
        'ec_param_enc:explicit',
      ];
      return { leaf: leaf({ key }) };
    },
  ],
  [
    'RSA with 3 as exponent',
    'weak',
    () => ({
      leaf: leaf({
        key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'],
      }),
    }),
    'stricter',
  ],
  [
    'self-issued ones do not lengthen a path',
    'ok',
    () => {
      const one = authority('old-key', ['basicConstraints=critical,CA:true,pathlen:0'], {
        subject: '/CN=rolled',
      });
      const next = authority('new-key', ['basicConstraints=critical,CA:true,pathlen:0'], {
        subject: '/CN=rolled',
        issuer: one,
      });
      return { leaf: leaf({ issuer: next }), anchors: [one], untrusted: [next] };
    },
  ],
  [
    'authorities that signed each other, and nobody above',
    'untrusted',
    () => {
      const a = authority('loop-a', []);
      const b = authority('loop-b', [], { issuer: a });
      const again = authority('loop-a-2', [], { subject: '/CN=loop-a', issuer: b, keyOf: a });
      return { leaf: leaf({ issuer: b }), untrusted: [b, again, a] };
    },
  ],
  [
    'P-384 and SHA-384',
    'ok',
    () => {
      const key = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'];
      const big = authority('p384', [], { key, sign: ['-sha384'] });
      return { leaf: leaf({ issuer: big, key, sign: ['-sha384'] }), anchors: [big] };
    },
  ],
  [
    'revoked',
    'revoked',
    () => {
      const gone = leaf();
      return { leaf: gone, crls: [(estate as OpensslEstate).crl('c1', root, [gone])] };
    },
  ],
  [
    'another one is revoked',
    'ok',
    () => ({ leaf: leaf(), crls: [(estate as OpensslEstate).crl('c2', root, [leaf()])] }),
  ],
  [
    'the list is outdated',
    'revocation_unknown',
    () => ({
      leaf: leaf(),
      crls: [(estate as OpensslEstate).crl('c3', root, [], 1)],
      now: Date.now() + 2 * 3_600_000,
    }),
  ],
  [
    'the list is of another authority',
    'revocation_unknown',
    () => ({ leaf: leaf(), crls: [(estate as OpensslEstate).crl('c4', other, [])] }),
  ],
  [
    'the list is signed by another of the same name',
    'revocation_unknown',
    () => {
      const twin = make('twin-3', {
        subject: '/CN=root',
        extensions: CA_EXTENSIONS,
      });
      return { leaf: leaf(), crls: [(estate as OpensslEstate).crl('c5', twin, [])] };
    },
  ],
  [
    'an intermediate is revoked',
    'revoked',
    () => {
      const gone = authority('gone', [], { issuer: root });
      const e = estate as OpensslEstate;
      return {
        leaf: leaf({ issuer: gone }),
        untrusted: [gone],
        crls: [e.crl('c6', root, [gone]), e.crl('c7', gone, [])],
      };
    },
  ],
  [
    'an intermediate without a list',
    'revocation_unknown',
    () => ({
      leaf: leaf({ issuer: middle }),
      untrusted: [middle],
      crls: [(estate as OpensslEstate).crl('c8', root, [])],
    }),
  ],
  [
    'lists of all',
    'ok',
    () => ({
      leaf: leaf({ issuer: middle }),
      untrusted: [middle],
      crls: [(estate as OpensslEstate).crl('c9', root, []), (estate as OpensslEstate).crl('c10', middle, [])],
    }),
  ],
  [
    'an authority that may not sign lists',
    'revocation_unknown',
    () => {
      const quiet = authority('quiet', ['keyUsage=critical,keyCertSign']);
      return {
        leaf: leaf({ issuer: quiet }),
        anchors: [quiet],
        crls: [(estate as OpensslEstate).crl('c11', quiet, [])],
      };
    },
  ],
  ['a subject with NUL', 'malformed', () => ({ leaf: crafted('nul', 'admin\0.evil.test') }), 'stricter'],
  [
    'a subject with a zero-width space',
    'malformed',
    () => ({ leaf: crafted('zwsp', 'ad\u200bmin') }),
    'stricter',
  ],
  [
    'a subject that changes direction',
    'malformed',
    () => ({ leaf: crafted('rtl', '\u202enimda') }),
    'stricter',
  ],
  ['a subject beyond ASCII', 'ok', () => ({ leaf: crafted('umlaut', 'Zürich') })],
  [
    'a host name with NUL',
    'malformed',
    () => ({ leaf: crafted('nul-dns', 'x', [subjectAltName(['good.test\0.evil.test'], [])]) }),
    'stricter',
  ],
  [
    'no subject, and names that are not critical',
    'malformed',
    () => ({ leaf: leaf({ subject: '/', extensions: [...LEAF_EXTENSIONS, 'subjectAltName=DNS:a.test'] }) }),
    'stricter',
  ],
  [
    'no subject, and names that are',
    'ok',
    () => ({
      leaf: leaf({ subject: '/', extensions: [...LEAF_EXTENSIONS, 'subjectAltName=critical,DNS:a.test'] }),
    }),
  ],
];

const SAN = (names: string): readonly string[] => [...LEAF_EXTENSIONS, `subjectAltName=${names}`];

/** One authority each, of which the constraint is said, and a leaf below it. */
const CONSTRAINED: readonly (readonly [constraint: string, leaf: Wanted, verdict: Verdict])[] = [
  ['permitted;DNS:good.test', { extensions: SAN('DNS:a.good.test') }, 'ok'],
  ['permitted;DNS:good.test', { extensions: SAN('DNS:good.test,DNS:A.GOOD.TEST') }, 'ok'],
  ['permitted;DNS:good.test', { extensions: SAN('DNS:notgood.test') }, 'outside_constraints'],
  ['permitted;DNS:good.test', { extensions: SAN('DNS:good.test,DNS:evil.test') }, 'outside_constraints'],
  ['permitted;DNS:good.test', { subject: '/CN=host.evil.test' }, 'outside_constraints'],
  ['permitted;DNS:good.test', { subject: '/CN=not a host' }, 'ok'],
  ['excluded;DNS:evil.test', { extensions: SAN('DNS:a.evil.test') }, 'outside_constraints'],
  ['excluded;DNS:evil.test', { extensions: SAN('DNS:a.good.test') }, 'ok'],
  ['permitted;email:good.test', { extensions: SAN('email:a@good.test') }, 'ok'],
  ['permitted;email:good.test', { extensions: SAN('email:a@b.good.test') }, 'outside_constraints'],
  ['permitted;email:.good.test', { extensions: SAN('email:a@b.good.test') }, 'ok'],
  ['permitted;email:a@good.test', { extensions: SAN('email:b@good.test') }, 'outside_constraints'],
  ['permitted;email:good.test', { subject: '/emailAddress=a@evil.test' }, 'outside_constraints'],
  ['permitted;URI:good.test', { extensions: SAN('URI:https://good.test/x') }, 'ok'],
  ['permitted;URI:good.test', { extensions: SAN('URI:https://a.good.test/x') }, 'outside_constraints'],
  ['permitted;URI:.good.test', { extensions: SAN('URI:https://a.good.test:8443/x') }, 'ok'],
  [
    'permitted;URI:.good.test',
    { extensions: SAN('URI:https://evil.test/a.good.test') },
    'outside_constraints',
  ],
  ['permitted;URI:good.test', { extensions: SAN('URI:urn:good.test') }, 'outside_constraints'],
  ['excluded;URI:evil.test', { extensions: SAN('URI:urn:good.test') }, 'outside_constraints'],
  ['permitted;IP:192.0.2.0/255.255.255.0', { extensions: SAN('IP:192.0.2.77') }, 'ok'],
  ['permitted;IP:2001:db8::/ffff:ffff::', { extensions: SAN('IP:2001:db8::7') }, 'ok'],
  ['permitted;IP:2001:db8::/ffff:ffff::', { extensions: SAN('IP:2001:db9::7') }, 'outside_constraints'],
  [
    'permitted;IP:192.0.2.0/255.255.255.0',
    { extensions: SAN('IP:::ffff:192.0.2.77') },
    'outside_constraints',
  ],
  ['excluded;IP:0.0.0.0/0.0.0.0', { extensions: SAN('IP:2001:db8::7') }, 'ok'],
  ['permitted;DNS:good.test', { extensions: SAN('DNS:*.good.test') }, 'ok'],
  ['permitted;DNS:a.good.test', { extensions: SAN('DNS:*.good.test') }, 'outside_constraints'],
  ['permitted;DNS:.good.test', { extensions: SAN('DNS:good.test') }, 'outside_constraints'],
  ['permitted;URI:good.test', { extensions: SAN('URI:https://evil.test@good.test/') }, 'outside_constraints'],
  ['permitted;URI:good.test', { extensions: SAN('URI:https://good.test@evil.test/') }, 'outside_constraints'],
  ['excluded;URI:evil.test', { extensions: SAN('URI:https://EVIL.test:443') }, 'outside_constraints'],
  ['permitted;URI:good.test', { extensions: SAN('URI:https://192.0.2.1/') }, 'outside_constraints'],
  ['permitted;email:good.test', { extensions: SAN('email:a@GOOD.test') }, 'ok'],
  [
    'permitted;DNS:good.test,excluded;DNS:bad.good.test',
    { extensions: SAN('DNS:a.bad.good.test') },
    'outside_constraints',
  ],
  ['permitted;IP:192.0.2.0/255.255.255.0', { extensions: SAN('IP:192.0.3.77') }, 'outside_constraints'],
  ['excluded;IP:192.0.2.0/255.255.255.0', { extensions: SAN('IP:192.0.2.77') }, 'outside_constraints'],
  ['permitted;dirName:dir', { subject: '/O=Good/CN=a' }, 'ok'],
  ['permitted;dirName:dir', { subject: '/O=GOOD /CN=a' }, 'ok'],
  ['permitted;dirName:dir', { subject: '/O=Evil/CN=a' }, 'outside_constraints'],
  ['permitted;dirName:dir', { subject: '/CN=a/O=Good' }, 'outside_constraints'],
  ['excluded;dirName:dir', { subject: '/O=Good/CN=a' }, 'outside_constraints'],
  [
    'permitted;otherName:1.2.3.4;UTF8:x',
    { extensions: SAN('otherName:1.2.3.4;UTF8:x') },
    'outside_constraints',
  ],
];

describe.skipIf(estate === undefined)('threat 22: a path holds where openssl says so, and only there', () => {
  for (const [title, verdict, build, stricter] of ROWS) {
    test(`${title}: ${verdict}`, () => {
      const made = build();
      expect(ours(made)).toBe(verdict);
      expect(theirs(made), 'openssl').toBe(verdict === 'ok' || stricter !== undefined);
    });
  }

  for (const [i, [constraint, wanted, verdict]] of CONSTRAINED.entries()) {
    test(`constraint ${i}, ${constraint}: ${verdict}`, () => {
      const lines = [`nameConstraints=critical,${constraint}`, '[dir]', 'O=Good'];
      const bounded = make(`constrained-${i}`, { issuer: root, extensions: [...CA_EXTENSIONS, ...lines] });
      const made = { leaf: leaf({ issuer: bounded, ...wanted }), untrusted: [bounded] };
      expect(ours(made)).toBe(verdict);
      expect(theirs(made), 'openssl').toBe(verdict === 'ok');
    });
  }
});
