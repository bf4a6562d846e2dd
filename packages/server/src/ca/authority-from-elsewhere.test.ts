import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createCertificationRequest } from '@countersign/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CA_EXTENSIONS, hasOpenssl, type Made, OpensslEstate, rsaKey } from '../../test/openssl-estate.ts';
import type { ChangeEvent } from '../audit/change.ts';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import { createSeal } from '../keys/seal.ts';
import { localSigner } from '../signers/local.ts';
import type { CertificateAuthorityRecord } from '../storage/certificate-authorities.ts';
import type { Storage, Stores } from '../storage/storage.ts';
import { adoptAuthority } from './adopt-authority.ts';
import { AuthorityRefused } from './authority-refused.ts';
import { type CertificateAuthority, createCertificateAuthority } from './certificate-authority.ts';
import { certificateOf } from '../x509/certificate.ts';
import { readPem } from '../x509/pem.ts';
import { type MakeAuthorityDeps, openAuthority, spkiOf, type Tell } from './make-authority.ts';
import { compromiseKey } from './compromise.ts';
import { endingAuthority } from './outlook.ts';
import { createRevocationLists } from './revocation-lists.ts';
import { discardAuthority, MOST_PENDING, requestAuthority } from './request-authority.ts';
import { takeRootOffline } from './root-offline.ts';
import { rotateAuthorities } from './rotation.ts';
import { signAuthorityRequest } from './sign-request.ts';
import { takeCertificate } from './take-authority.ts';

const DAY = 86_400_000;
const PASSPHRASE = 'correct horse battery';
const estate = hasOpenssl ? new OpensslEstate() : undefined;
afterAll(() => estate?.close());

let now: number;
let storage: Storage;
let deps: MakeAuthorityDeps;
let told: ChangeEvent[];
let ca: CertificateAuthority;

beforeEach(async () => {
  // What openssl makes in the meantime has begun.
  now = Date.now() + 60_000;
  told = [];
  const clock = { now: () => now };
  const random = pooledRandom();
  storage = await openMemoryStorage(clock);
  const signer = localSigner(createSeal(random(32), random));
  deps = { clock, random, signer, trustDomain: 'example.org' };
  await write((stores, tell) => rotateAuthorities(deps, stores, tell));
  ca = await createCertificateAuthority({ authorities: storage.certificateAuthorities, signer });
});
afterEach(() => storage.close());

const write = <T>(work: (stores: Stores, tell: Tell) => Promise<T>): Promise<T> =>
  storage.transaction((stores) => work(stores, (event) => told.push(event)));
const live = (): Promise<readonly CertificateAuthorityRecord[]> => storage.certificateAuthorities.live();
const rotate = (): Promise<void> => write((stores, tell) => rotateAuthorities(deps, stores, tell));
const request = (alg: 'ES256' | 'ES384' = 'ES256') =>
  write((stores, tell) => requestAuthority(deps, stores, tell, alg));
const adopt = (record: CertificateAuthorityRecord, pem: string) =>
  write((stores, tell) => adoptAuthority(deps, stores, tell, record, pem));
async function issuing(): Promise<CertificateAuthorityRecord> {
  const found = (await live()).filter(({ role, state }) => role === 'issuing' && state === 'active');
  expect(found).toHaveLength(1);
  return found[0] as CertificateAuthorityRecord;
}
async function root(): Promise<CertificateAuthorityRecord> {
  return (await live()).find(({ role }) => role === 'root') as CertificateAuthorityRecord;
}
async function refusal(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'taken',
    (error: unknown) => (error instanceof AuthorityRefused ? error.fault : error),
  );
}

async function offline(dryRun = false): Promise<{ key: string; certificate: string; before: boolean }> {
  let kept = { key: '', certificate: '' };
  const changes = { run: <T>(_: unknown, work: (stores: Stores, tell: Tell) => Promise<T>) => write(work) };
  const asked = { passphrase: PASSPHRASE, dryRun, keep: (given: typeof kept) => void (kept = given) };
  const { before } = await takeRootOffline(
    { ...deps, storage, changes, actor: { identity: 'countersign' } },
    asked,
  );
  return { ...kept, before };
}

describe('a root that is taken offline', () => {
  it('is exported under its passphrase, gone from here, and what it issued goes on', async () => {
    const sealed = (await root()).sealedPrivateKey as string;
    const before = await issuing();
    const { key, certificate } = await offline();
    expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect(() => createPrivateKey({ key, passphrase: 'another one altogether' })).toThrow(
      /bad decrypt|unsupported|DECODER/i,
    );
    expect(createPrivateKey({ key, passphrase: PASSPHRASE }).asymmetricKeyDetails).toEqual({
      namedCurve: 'prime256v1',
    });
    expect(await root()).toMatchObject({ state: 'active', sealedPrivateKey: undefined, certificate });
    expect(told.at(-1)).toMatchObject({
      type: 'certificate_authority.taken_offline',
      before: { key_held: true },
      after: { key_held: false },
    });
    expect(JSON.stringify(told)).not.toContain(sealed);
    await rotate();
    expect(await issuing()).toEqual(before);
    await ca.reload();
    expect(ca.issuer()?.id).toBe(before.id);
    expect(ca.roots()).toEqual([certificate]);
  });

  it('stays where it was on a dry run, and where it could not be kept', async () => {
    const before = await root();
    await offline(true);
    expect(await root()).toEqual(before);
    const changes = { run: () => Promise.reject(new Error('is not asked')) };
    const keep = (): void => {
      throw new Error('no space left');
    };
    await expect(
      takeRootOffline(
        { ...deps, storage, changes, actor: { identity: 'countersign' } },
        { passphrase: PASSPHRASE, dryRun: false, keep },
      ),
    ).rejects.toThrow('no space left');
    expect(await root()).toEqual(before);
  });

  it('is not exported twice', async () => {
    await offline();
    expect(await offline()).toEqual({ key: '', certificate: '', before: true });
    expect(told.filter(({ type }) => type.endsWith('taken_offline'))).toHaveLength(1);
  });

  it('gets nothing signed by itself: what issues ends, and nobody takes its place', async () => {
    await offline();
    now = ((await issuing()).notAfter ?? 0) + 1000;
    await rotate();
    expect((await live()).map(({ role }) => role)).toEqual(['root']);
    now += 3653 * DAY;
    await rotate();
    await rotate();
    expect(await live()).toEqual([]);
    expect(await storage.certificateAuthorities.any()).toBe(true);
  });

  it('signs the next one far from here, and machines of the old one go on', async () => {
    const old = await issuing();
    const { key, certificate } = await offline();
    const asked = await request();
    expect(asked).toMatchObject({ state: 'pending', certificate: undefined });
    const signed = signAuthorityRequest({
      request: asked.request ?? '',
      root: certificate,
      rootKey: createPrivateKey({ key, passphrase: PASSPHRASE }),
      lifetime: 90 * DAY,
      now,
      random: deps.random,
    });
    expect(signed).toMatchObject({ ok: true });
    // The root is known here: it need not come along.
    await adopt(asked, signed.ok ? signed.certificate : '');
    expect(await issuing()).toMatchObject({ id: asked.id, above: certificate });
    expect((await issuing()).notAfter).toBe(Math.floor((now + 90 * DAY) / 1000) * 1000);
    expect((await live()).find(({ id }) => id === old.id)).toMatchObject({ state: 'retiring' });
    expect(await root()).toMatchObject({ state: 'active' });
    await ca.reload();
    expect(ca.trust().authorities).toHaveLength(2);
    expect(ca.roots()).toEqual([certificate]);
    const lists = createRevocationLists({ storage, ca, clock: deps.clock });
    for (const { id } of ca.all()) expect(await lists.read(id)).toMatchObject({ pem: expect.any(String) });
    lists.close();
  });

  it('signs nothing that is taken once its key was compromised', async () => {
    const { key, certificate } = await offline();
    const asked = await request();
    const signed = signAuthorityRequest({
      request: asked.request ?? '',
      root: certificate,
      rootKey: createPrivateKey({ key, passphrase: PASSPHRASE }),
      lifetime: undefined,
      now,
      random: deps.random,
    });
    const pem = signed.ok ? signed.certificate : '';
    const { id } = await root();
    const schedule = { period: DAY, lead: DAY, retention: DAY };
    await write((stores, tell) => compromiseKey({ ...deps, schedule }, stores, id, tell));
    expect(await refusal(adopt(asked, pem))).toBe('no_root');
    expect(await refusal(adopt(asked, pem + certificate))).toEqual({ path: 'revoked' });
  });

  it('does not sign what is not its own', async () => {
    const { key, certificate } = await offline();
    const given = {
      request: (await request()).request ?? '',
      root: certificate,
      rootKey: createPrivateKey({ key, passphrase: PASSPHRASE }),
      lifetime: undefined,
      now,
      random: deps.random,
    };
    const below = (await issuing()).certificate as string;
    const nameless = createCertificationRequest(generateKeyPairSync('ed25519').privateKey);
    for (const [instead, fault] of [
      [{ rootKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }, { key: 'other' }],
      [{ rootKey: generateKeyPairSync('ed25519').privateKey }, { key: 'kind' }],
      [{ root: 'nothing' }, { root: 'malformed' }],
      [{ root: below }, { root: 'not_a_root' }],
      [{ now: now + 4000 * DAY }, { root: 'ended' }],
      [{ request: 'nothing' }, { request: 'malformed' }],
      [{ request: given.request.repeat(2) }, { request: 'malformed' }],
      [{ request: nameless }, { request: 'no_name' }],
    ] as const)
      expect(signAuthorityRequest({ ...given, ...instead })).toEqual({ ok: false, fault });
    expect(signAuthorityRequest(given)).toMatchObject({ ok: true });
  });
});

describe('a root whose key is here', () => {
  it('signs the next one, even where the one before has ended while nobody looked', async () => {
    const before = await issuing();
    now = (before.notAfter ?? 0) + 1000;
    await rotate();
    const next = await issuing();
    expect(next.id).not.toBe(before.id);
    expect(next.notAfter).toBeGreaterThan(now);
  });
});

describe('an issuing authority near its end', () => {
  const ending = async () => endingAuthority(await live(), now);

  it('is told of where nobody but people replace it, from a third of its life before on', async () => {
    const { id, notAfter = 0, createdAt } = await issuing();
    now = notAfter - 1000;
    expect(await ending()).toBeUndefined();
    now = createdAt + 1000;
    await offline();
    expect(await ending()).toBeUndefined();
    now = notAfter - Math.floor((notAfter - createdAt) / 3) + 1000;
    expect(await ending()).toEqual({ id, notAfter });
    await rotate();
    expect(await issuing()).toMatchObject({ id });
  });
});

describe('requests for authorities', () => {
  it('are few at a time, and can be given up with their key', async () => {
    const made: CertificateAuthorityRecord[] = [];
    for (let i = 0; i < MOST_PENDING; i++) made.push(await request());
    expect(await refusal(request())).toBe('too_many_pending');
    const [first] = made as [CertificateAuthorityRecord];
    const given = await write((stores, tell) => discardAuthority(deps, stores, tell, first));
    expect(given).toMatchObject({ state: 'retired', sealedPrivateKey: undefined });
    const present = await issuing();
    expect(await refusal(write((stores, tell) => discardAuthority(deps, stores, tell, present)))).toBe(
      'not_pending',
    );
    expect(await request()).toMatchObject({ state: 'pending' });
  });
});

describe.skipIf(!hasOpenssl)('the authority of an organisation (openssl)', () => {
  const own = estate as OpensslEstate;
  const FOR_ISSUING = [
    'basicConstraints=critical,CA:true,pathlen:0',
    'keyUsage=critical,keyCertSign,cRLSign',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ];
  const FOR_MIDDLE = [...CA_EXTENSIONS, 'authorityKeyIdentifier=keyid'];
  const without = (lines: readonly string[], name: string): string[] =>
    lines.filter((line) => !line.startsWith(`${name}=`));
  let counter = 0;
  let top: Made;
  let middle: Made;
  beforeAll(() => {
    top = own.make('org-root', { extensions: CA_EXTENSIONS, days: 400 });
    middle = own.make('org-middle', { issuer: top, extensions: FOR_MIDDLE, days: 400 });
  });

  /** Signs a request with its own subject. */
  function sign(
    asked: CertificateAuthorityRecord,
    by: Made,
    lines: readonly string[] = FOR_ISSUING,
    days = '90',
  ): string {
    const name = `issuing-${counter++}`;
    const csr = own.write(`${name}.csr`, asked.request ?? '');
    const config = own.write(`${name}.cnf`, `[v3]\n${lines.join('\n')}\n`);
    const how = ['-extfile', config, '-extensions', 'v3', '-days', days, '-out', `${name}.pem`];
    own.must(['x509', '-req', '-in', csr, '-CA', by.file, '-CAkey', by.keyFile, '-CAcreateserial', ...how]);
    return own.must(['x509', '-in', `${name}.pem`]);
  }

  it('certifies the request, two below its root; the built-in root is trusted as long as something stands below it', async () => {
    const old = await issuing();
    const builtIn = await root();
    const asked = await request('ES384');
    const text = own.must([
      'req',
      '-in',
      own.write('asked.csr', asked.request ?? ''),
      '-noout',
      '-verify',
      '-text',
    ]);
    expect(text).toMatch(/verify OK/);
    expect(text).toContain('CA:TRUE, pathlen:0');
    expect(text).toContain('URI:spiffe://example.org');
    await adopt(asked, sign(asked, middle) + middle.pem + top.pem);
    expect((await issuing()).above).toBe(middle.pem + top.pem);
    expect(await root()).toMatchObject({
      id: builtIn.id,
      state: 'retiring',
      sealedPrivateKey: expect.any(String),
    });
    await ca.reload();
    expect(ca.issuer()?.chain).toBe(((await issuing()).certificate ?? '') + middle.pem);
    expect(ca.roots()).toHaveLength(2);
    // Long before its end, and after: the built-in root does not come back by itself.
    now = (old.notAfter ?? 0) + 1000;
    await rotate();
    expect(await live()).toEqual([expect.objectContaining({ id: builtIn.id, state: 'retiring' })]);
    await rotate();
    await rotate();
    expect(await live()).toEqual([]);
  });

  it('signs what openssl copies from the request alone', async () => {
    const asked = await request();
    const csr = own.write('copied.csr', asked.request ?? '');
    const config = own.write('copied.cnf', '[v3]\nauthorityKeyIdentifier=keyid\n');
    const by = ['-CA', top.file, '-CAkey', top.keyFile, '-CAcreateserial', '-copy_extensions', 'copy'];
    const how = ['-extfile', config, '-extensions', 'v3', '-days', '90', '-out', 'copied.pem'];
    own.must(['x509', '-req', '-in', csr, ...by, ...how]);
    await adopt(asked, own.must(['x509', '-in', 'copied.pem']) + top.pem);
    expect(await issuing()).toMatchObject({ id: asked.id });
  });

  const NOT_FOR_IT = [
    [
      'no CA',
      ['basicConstraints=critical,CA:false', ...without(FOR_ISSUING, 'basicConstraints')],
      'not_an_authority',
    ],
    ['no basicConstraints', without(FOR_ISSUING, 'basicConstraints'), 'not_an_authority'],
    ['no keyCertSign', ['keyUsage=critical,cRLSign', ...without(FOR_ISSUING, 'keyUsage')], 'key_usage'],
    ['no cRLSign', ['keyUsage=critical,keyCertSign', ...without(FOR_ISSUING, 'keyUsage')], 'key_usage'],
    ['no keyUsage', without(FOR_ISSUING, 'keyUsage'), 'key_usage'],
    ['servers only', [...FOR_ISSUING, 'extendedKeyUsage=serverAuth'], 'purposes'],
    [
      'no key identifier',
      ['subjectKeyIdentifier=none', ...without(FOR_ISSUING, 'subjectKeyIdentifier')],
      'key_identifiers',
    ],
    [
      'an unknown critical extension',
      [...FOR_ISSUING, '1.2.3.4=critical,DER:0500'],
      { path: 'unknown_critical_extension' },
    ],
    [
      'no URIs of ours',
      [...FOR_ISSUING, 'nameConstraints=critical,permitted;URI:other.example'],
      { path: 'outside_constraints' },
    ],
    [
      'other subjects',
      [...FOR_ISSUING, 'nameConstraints=critical,permitted;dirName:d\n[d]\nO=Other'],
      { path: 'outside_constraints' },
    ],
  ] as const;
  it.each(NOT_FOR_IT)('is refused with %s', async (_, lines, fault) => {
    const asked = await request();
    const before = await live();
    expect(await refusal(adopt(asked, sign(asked, top, lines) + top.pem))).toEqual(fault);
    expect(await live()).toEqual(before);
  });

  it('is taken within constraints that allow the trust domain', async () => {
    const top = own.make(`constraining-${counter++}`, {
      extensions: [
        ...CA_EXTENSIONS,
        'nameConstraints=critical,permitted;URI:example.org,permitted;DNS:corp.example',
      ],
    });
    const asked = await request();
    await adopt(asked, sign(asked, top) + top.pem);
    expect(await issuing()).toMatchObject({ id: asked.id });
  });

  it.each([
    [
      'a root that allows nobody below it',
      ['basicConstraints=critical,CA:true,pathlen:0'],
      { path: 'not_an_authority' },
    ],
    ['one in the middle that may not certify', [], { path: 'not_an_authority' }],
  ])('is refused below %s', async (_, limit, fault) => {
    const rest = without(CA_EXTENSIONS, 'basicConstraints');
    const top = own.make(`top-${counter++}`, {
      extensions: [...rest, ...(limit.length > 0 ? limit : ['basicConstraints=critical,CA:true'])],
    });
    const middle = own.make(`middle-${counter++}`, {
      issuer: top,
      extensions:
        limit.length > 0
          ? FOR_MIDDLE
          : ['basicConstraints=critical,CA:false', ...without(FOR_MIDDLE, 'basicConstraints')],
    });
    const asked = await request();
    expect(await refusal(adopt(asked, sign(asked, middle) + middle.pem + top.pem))).toEqual(fault);
  });

  it('is refused with another key, another order, a missing root, a foreign root, or too much', async () => {
    const stranger = own.make(`whole-${counter++}`, { extensions: CA_EXTENSIONS });
    const namesake = own.make(`namesake-${counter++}`, {
      subject: `/CN=${top.name}`,
      extensions: CA_EXTENSIONS,
    });
    const [asked, another] = [await request(), await request()];
    const good = sign(asked, middle);
    expect(await refusal(adopt(another, good + middle.pem + top.pem))).toBe('other_key');
    expect(await refusal(adopt(asked, good + top.pem + middle.pem))).toBe('no_root');
    expect(await refusal(adopt(asked, good + top.pem))).toBe('out_of_order');
    expect(await refusal(adopt(asked, good + middle.pem))).toBe('no_root');
    expect(await refusal(adopt(asked, good))).toBe('no_root');
    expect(await refusal(adopt(asked, good + middle.pem + stranger.pem))).toBe('out_of_order');
    expect(await refusal(adopt(asked, good + middle.pem + namesake.pem))).toEqual({ path: 'untrusted' });
    expect(await refusal(adopt(asked, good + middle.pem.repeat(5) + top.pem))).toBe('too_many_certificates');
    expect(await refusal(adopt(asked, 'nothing'))).toBe('malformed');
    expect(await refusal(adopt(asked, good.replace(/\n[A-Za-z0-9]/, '\n!')))).toBe('malformed');
    await adopt(asked, good + middle.pem + top.pem);
    expect(await refusal(adopt(await issuing(), good + middle.pem + top.pem))).toBe('not_pending');
  });

  it('is refused when it has ended, has not begun, or ends within a day', async () => {
    const asked = await request();
    const pem = sign(asked, top, FOR_ISSUING, '90') + top.pem;
    const begun = now;
    now = begun + 91 * DAY;
    expect(await refusal(adopt(asked, pem))).toEqual({ path: 'expired' });
    now = begun - DAY;
    expect(await refusal(adopt(asked, pem))).toEqual({ path: 'not_yet_valid' });
    now = begun + 89.5 * DAY;
    expect(await refusal(adopt(asked, pem))).toBe('ends_too_soon');
    now = begun;
    await adopt(asked, pem);
  });

  it('is refused where it is weak, and taken where it signs with RSA', async () => {
    const weak = own.make(`weak-${counter++}`, { extensions: CA_EXTENSIONS, key: rsaKey(1024) });
    const strong = own.make(`strong-${counter++}`, { extensions: CA_EXTENSIONS, key: rsaKey(2048) });
    const asked = await request();
    expect(await refusal(adopt(asked, sign(asked, weak) + weak.pem))).toEqual({ path: 'weak' });
    await adopt(asked, sign(asked, strong) + strong.pem);
    expect(await issuing()).toMatchObject({ id: asked.id });
  });

  it('is refused under the name of another one here', async () => {
    const asked = await request();
    const pem = sign(asked, top) + top.pem;
    const offered = {
      pem,
      publicKey: spkiOf(deps.signer, asked),
      signer: openAuthority(deps.signer, asked),
      roots: [],
      names: new Set<string>(),
      trustDomain: deps.trustDomain,
      now,
    };
    expect(takeCertificate(offered).notAfter).toBeGreaterThan(now);
    const [own] = readPem(pem, 'CERTIFICATE') as readonly [Uint8Array];
    const names = new Set([certificateOf(own).subject.key]);
    expect(() => takeCertificate({ ...offered, names })).toThrow(new AuthorityRefused('name'));
  });
});
