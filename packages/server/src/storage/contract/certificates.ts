import { expect, it } from 'vitest';
import type { CertificateAuthorityRecord } from '../certificate-authorities.ts';
import type { CertificateLine, CertificateRecord } from '../certificates.ts';
import type { ClaimCodeRecord } from '../claim-codes.ts';
import type { DecommissionPlan } from '../identities.ts';
import type { Change } from '../storage.ts';
import { changed, credentialRecord, freshId, identityRecord, T0 } from './records.ts';
import type { Subject } from './subject.ts';

export function certificateAuthorityRecord(
  overrides: Partial<CertificateAuthorityRecord> = {},
): CertificateAuthorityRecord {
  return {
    id: freshId('cau'),
    role: 'issuing',
    state: 'retiring',
    alg: 'ES256',
    publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
    request: undefined,
    certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    above: '',
    sealedPrivateKey: 'v1.sealed',
    createdAt: T0,
    notAfter: T0 + 1e9,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

interface Owner {
  readonly identityId: string;
  readonly credentialId: string;
  readonly authorityId: string;
}

function certificateRecord(of: Owner, overrides: Partial<CertificateRecord> = {}): CertificateRecord {
  const id = freshId('crt');
  return {
    ...of,
    id,
    serialNumber: Buffer.from(id).toString('hex').slice(-40),
    subjectKey: `key-${id}`,
    thumbprint: `thumb-${id}`,
    certificate: 'PEM',
    issuedBy: 'administration',
    notBefore: T0,
    notAfter: T0 + 1e6,
    revoked: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

function claimCodeRecord(identityId: string, overrides: Partial<ClaimCodeRecord> = {}): ClaimCodeRecord {
  const id = freshId('clm');
  return {
    id,
    identityId,
    publicId: `public-${id}`,
    digest: `digest-${id}`,
    state: 'open',
    madeBy: { kind: 'machine', clientId: 'admin' },
    expiresAt: T0 + 1e6,
    used: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

function planUntil(stopAt: number): DecommissionPlan {
  return {
    from: 'active',
    beganAt: T0,
    phase: 'shadow',
    shadowUntil: stopAt,
    brownOuts: [],
    brownOutsBegun: 0,
    stopAt,
    endsAt: stopAt + 1e6,
    nextAt: stopAt,
    forced: false,
  };
}

/** Whoever a certificate is of, in whatever state. */
async function owner(
  { storage }: Subject,
  states: {
    readonly identity?: 'suspended' | 'decommissioning';
    readonly stopAt?: number;
    readonly securityStop?: true;
    readonly credential?: 'suspended';
  } = {},
): Promise<Owner> {
  const { stopAt, securityStop = false } = states;
  const identity = identityRecord(
    states.identity === undefined
      ? {}
      : {
          state: states.identity,
          stateSince: T0 + 5,
          securityStop,
          ...(stopAt === undefined ? {} : { decommissioning: planUntil(stopAt) }),
        },
  );
  await storage().identities.insert(identity);
  const credential = credentialRecord(
    identity.id,
    states.credential === undefined ? {} : { state: states.credential, updatedAt: T0 + 7 },
  );
  await storage().credentials.insert(credential);
  const authority = certificateAuthorityRecord();
  await storage().certificateAuthorities.insert(authority);
  return { identityId: identity.id, credentialId: credential.id, authorityId: authority.id };
}

export function certificateContract(subject: Subject): void {
  const { storage } = subject;

  it('an authority is kept as it is given, and one issues at a time', async () => {
    expect(await storage().certificateAuthorities.any()).toBe(false);
    const root = certificateAuthorityRecord({ role: 'root', state: 'active' });
    const pending = certificateAuthorityRecord({
      state: 'pending',
      alg: 'ES384',
      request: 'PEM',
      certificate: undefined,
      notAfter: undefined,
      createdAt: T0 + 1,
    });
    const active = certificateAuthorityRecord({ state: 'active', above: 'PEM', createdAt: T0 + 2 });
    for (const each of [active, pending, root]) await storage().certificateAuthorities.insert(each);
    expect(await storage().certificateAuthorities.live()).toEqual([root, pending, active]);
    expect(await storage().certificateAuthorities.byId(pending.id)).toEqual(pending);
    expect(await storage().certificateAuthorities.byId('cau_none')).toBeUndefined();
    const second = certificateAuthorityRecord({ state: 'active' });
    await expect(storage().certificateAuthorities.insert(second)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'active_issuing',
    });
    const certified = changed(pending, {
      state: 'active',
      certificate: 'PEM',
      above: 'PEM',
      notAfter: T0 + 9,
    });
    await expect(storage().certificateAuthorities.replace(certified)).rejects.toMatchObject({
      fault: 'unique_conflict',
    });
    await storage().transaction(async (stores) => {
      await stores.certificateAuthorities.replace(changed(active, { state: 'retiring' }));
      await stores.certificateAuthorities.replace(certified);
    });
    expect(await storage().certificateAuthorities.byId(pending.id)).toEqual(certified);
    const gone = changed(root, { state: 'retired', sealedPrivateKey: undefined });
    await storage().certificateAuthorities.replace(gone);
    expect((await storage().certificateAuthorities.live()).map(({ id }) => id)).not.toContain(root.id);
    expect(await storage().certificateAuthorities.byId(root.id)).toEqual(gone);
    expect(await storage().certificateAuthorities.any()).toBe(true);
  });

  it('an authority is replaced by version, keeps its key pair, and tells of its change', async () => {
    const record = certificateAuthorityRecord();
    await storage().certificateAuthorities.insert(record);
    const heard: Change[] = [];
    const stop = storage().onChange((change) => heard.push(change));
    for (const wrong of [
      { ...record, version: 3 },
      changed(record, { publicJwk: { kty: 'EC' } }),
      changed(record, { alg: 'ES384' }),
      changed(record, { role: 'root' }),
    ])
      await expect(storage().certificateAuthorities.replace(wrong)).rejects.toMatchObject({
        fault: 'version_conflict',
      });
    expect(heard).toEqual([]);
    await storage().certificateAuthorities.replace(changed(record, { sealedPrivateKey: undefined }));
    expect(heard).toEqual([{ kind: 'certificate_authorities' }]);
    stop();
  });

  it('what was overwritten can be wiped, and all else stays', async () => {
    const before = await storage().certificateAuthorities.live();
    await storage().scrub();
    expect(await storage().certificateAuthorities.live()).toEqual(before);
  });

  it('a certificate is found by id, by key and by what it belongs to', async () => {
    const of = await owner(subject);
    const first = certificateRecord(of);
    const second = certificateRecord(of, {
      subjectKey: first.subjectKey,
      issuedBy: 'itself',
      createdAt: T0 + 1,
      notAfter: T0 + 2e6,
    });
    await storage().certificates.insert(second);
    await storage().certificates.insert(first);
    expect(await storage().certificates.byId(first.id)).toEqual(first);
    expect(await storage().certificates.byId('crt_none')).toBeUndefined();
    expect(await storage().certificates.bySubjectKey(first.subjectKey)).toEqual([second, first]);
    expect(await storage().certificates.bySubjectKey('none')).toEqual([]);
    const listed = async (filter: Parameters<ReturnType<typeof storage>['certificates']['list']>[0]) =>
      (await storage().certificates.list(filter, { limit: 10 })).items;
    expect(await listed({ identityId: of.identityId })).toEqual([first, second]);
    expect(await listed({ credentialId: of.credentialId })).toEqual([first, second]);
    expect(await listed({ serialNumber: second.serialNumber })).toEqual([second]);
    expect(await listed({ identityId: of.identityId, expiresBefore: T0 + 2e6 })).toEqual([first]);
    const page = await storage().certificates.list({ identityId: of.identityId }, { limit: 1 });
    expect(page.items).toEqual([first]);
    const rest = await storage().certificates.list(
      { identityId: of.identityId },
      { limit: 1, after: page.next },
    );
    expect(rest.items).toEqual([second]);
  });

  it('no serial number comes twice, and no certificate without its machine and its credential', async () => {
    const of = await owner(subject);
    const record = certificateRecord(of);
    await storage().certificates.insert(record);
    await expect(
      storage().certificates.insert(certificateRecord(of, { serialNumber: record.serialNumber })),
    ).rejects.toMatchObject({ fault: 'unique_conflict', detail: 'serial_number' });
    for (const missing of [
      { ...of, identityId: freshId('idn') },
      { ...of, credentialId: freshId('crd') },
      { ...of, authorityId: freshId('cau') },
    ])
      await expect(storage().certificates.insert(certificateRecord(missing))).rejects.toMatchObject({
        fault: 'missing_reference',
      });
  });

  it('a certificate is revoked by version, and tells as its identity', async () => {
    const of = await owner(subject);
    const record = certificateRecord(of);
    await storage().certificates.insert(record);
    const next = changed(record, { revoked: { at: T0 + 3, reason: 'key_compromise' } });
    const heard: Change[] = [];
    const stop = storage().onChange((change) => heard.push(change));
    await storage().certificates.replace(next);
    await expect(storage().certificates.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    stop();
    expect(heard).toEqual([{ kind: 'identity', identityId: of.identityId }]);
    expect(await storage().certificates.byId(record.id)).toEqual(next);
  });

  it('in doubt are those that are revoked, and those whose credential or machine is not active', async () => {
    const good = await owner(subject);
    const { authorityId } = good;
    const stopped = { ...(await owner(subject, { identity: 'suspended' })), authorityId };
    const ending = { ...(await owner(subject, { identity: 'decommissioning' })), authorityId };
    const held = { ...(await owner(subject, { credential: 'suspended' })), authorityId };
    const ends = { identity: 'decommissioning', stopAt: T0 + 9 } as const;
    const planned = { ...(await owner(subject, ends)), authorityId };
    const cut = { ...(await owner(subject, { ...ends, securityStop: true })), authorityId };
    const serial = (number: string): string => number.padStart(40, '0');
    const revoked = certificateRecord(good, {
      serialNumber: serial('d1'),
      revoked: { at: T0 + 1, reason: 'superseded' },
    });
    const others = [
      certificateRecord(good, { serialNumber: serial('d2') }),
      certificateRecord(stopped, { serialNumber: serial('d3') }),
      certificateRecord(ending, { serialNumber: serial('d4') }),
      certificateRecord(held, { serialNumber: serial('d5') }),
      certificateRecord(planned, { serialNumber: serial('d6') }),
      certificateRecord(cut, { serialNumber: serial('d7') }),
      certificateRecord(stopped, { serialNumber: serial('d8'), notAfter: T0 - 1 }),
      certificateRecord({ ...stopped, authorityId: (await owner(subject)).authorityId }),
    ];
    for (const each of [...others, revoked]) await storage().certificates.insert(each);
    const base = { revoked: undefined, credentialState: 'active', credentialUpdatedAt: T0 };
    const found = await storage().certificates.doubtful(authorityId, T0, 10);
    expect(found).toMatchObject([
      { serialNumber: serial('d1'), revoked: { at: T0 + 1, reason: 'superseded' }, identityState: 'active' },
      {
        ...base,
        serialNumber: serial('d3'),
        identityState: 'suspended',
        identityStateSince: T0 + 5,
        identityStopAt: undefined,
      },
      { ...base, serialNumber: serial('d4'), identityState: 'decommissioning', identityStopAt: T0 + 5 },
      { ...base, serialNumber: serial('d5'), credentialState: 'suspended', credentialUpdatedAt: T0 + 7 },
      { ...base, serialNumber: serial('d6'), identityState: 'decommissioning', identityStopAt: T0 + 9 },
      { ...base, serialNumber: serial('d7'), identityState: 'decommissioning', identityStopAt: T0 + 5 },
    ]);
    expect(await storage().certificates.doubtful(authorityId, T0, 2)).toEqual(found.slice(0, 2));
  });

  it('certificates are forgotten after their end, so many at a time', async () => {
    const of = await owner(subject);
    const old = [0, 1, 2].map((i) => certificateRecord(of, { notAfter: 1000 + i }));
    const young = certificateRecord(of, { notAfter: 1003 });
    for (const each of [...old, young]) await storage().certificates.insert(each);
    expect(await storage().certificates.forget(1003, 2)).toBe(2);
    expect(await storage().certificates.byId((old[2] as CertificateRecord).id)).toBeDefined();
    expect(await storage().certificates.forget(1003, 2)).toBe(1);
    expect(await storage().certificates.forget(1003, 2)).toBe(0);
    expect(await storage().certificates.byId(young.id)).toEqual(young);
  });

  it('a line of certificates is forgotten from its beginning, and not while one before it counts', async () => {
    const of = await owner(subject);
    const long = certificateRecord(of, { notAfter: 500 });
    const short = certificateRecord(of, { notAfter: 200, issuedBy: 'itself', renewedFrom: long.id });
    const last = certificateRecord(of, { notAfter: 900, issuedBy: 'itself', renewedFrom: short.id });
    for (const each of [long, short, last]) await storage().certificates.insert(each);
    expect(await storage().certificates.forget(300, 10)).toBe(0);
    const found = await storage().certificates.descendants({ certificateId: long.id }, 300, 10);
    expect(found).toEqual([last]);
    expect(await storage().certificates.forget(700, 10)).toBe(2);
    expect(await storage().certificates.byId(last.id)).toEqual(last);
  });

  it('what was renewed from a certificate is found, however far down, while it counts', async () => {
    const of = await owner(subject);
    const other = await owner(subject);
    const made = { issuedBy: 'itself' } as const;
    const first = certificateRecord(of);
    const second = certificateRecord(of, { ...made, renewedFrom: first.id, createdAt: T0 + 1 });
    const beside = certificateRecord(of, { ...made, renewedFrom: first.id, createdAt: T0 + 2 });
    const revoked = { at: T0 + 5, reason: 'superseded' } as const;
    const gone = certificateRecord(of, { ...made, renewedFrom: second.id, createdAt: T0 + 3, revoked });
    const credential = credentialRecord(of.identityId);
    await storage().credentials.insert(credential);
    const moved = { ...of, credentialId: credential.id };
    const third = certificateRecord(moved, { ...made, renewedFrom: gone.id, createdAt: T0 + 4 });
    const ended = certificateRecord(of, { ...made, renewedFrom: second.id, notAfter: T0 + 6 });
    const strangers = [certificateRecord(of), certificateRecord(other, made)];
    for (const each of [first, second, beside, gone, third, ended, ...strangers])
      await storage().certificates.insert(each);
    const line = (of: CertificateLine, limit = 10) => storage().certificates.descendants(of, T0 + 7, limit);
    expect(await line({ certificateId: first.id })).toEqual([second, beside, third]);
    expect(await line({ certificateId: first.id }, 2)).toEqual([second, beside]);
    expect(await line({ certificateId: second.id })).toEqual([third]);
    expect(await line({ certificateId: third.id })).toEqual([]);
    expect(await line({ credentialId: of.credentialId })).toEqual([third]);
    await storage().credentials.replace(changed(credential, { state: 'revoked' }));
    expect(await line({ certificateId: first.id })).toEqual([second, beside]);
  });

  it('one that was renewed from nobody knows which counts as renewed from each that was there before', async () => {
    const of = await owner(subject);
    const first = certificateRecord(of, { createdAt: T0 + 1 });
    const unknown = certificateRecord(of, { issuedBy: 'itself', createdAt: T0 + 2 });
    const after = certificateRecord(of, { createdAt: T0 + 3 });
    for (const each of [first, unknown, after]) await storage().certificates.insert(each);
    expect(await storage().certificates.descendants({ certificateId: first.id }, T0, 9)).toEqual([unknown]);
    expect(await storage().certificates.descendants({ certificateId: after.id }, T0, 9)).toEqual([]);
    expect(await storage().certificates.descendants({ certificateId: unknown.id }, T0, 9)).toEqual([]);
  });

  it('a claim code is used once, whoever comes first', async () => {
    const { identityId } = await owner(subject);
    const record = claimCodeRecord(identityId);
    await storage().claimCodes.insert(record);
    expect(await storage().claimCodes.byPublicId(record.publicId)).toEqual(record);
    expect(await storage().claimCodes.byId(record.id)).toEqual(record);
    expect(await storage().claimCodes.byPublicId('none')).toBeUndefined();
    const used = changed(record, {
      state: 'used',
      used: { at: T0 + 1, subjectKey: 'key', certificateId: 'crt_1' },
    });
    const tries = await Promise.allSettled([
      storage().claimCodes.replace(used),
      storage().claimCodes.replace(used),
    ]);
    expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await storage().claimCodes.byId(record.id)).toEqual(used);
  });

  it('claim codes are listed by machine and state, and forgotten after their end', async () => {
    const { identityId } = await owner(subject);
    const open = claimCodeRecord(identityId);
    const revoked = claimCodeRecord(identityId, { state: 'revoked', expiresAt: 1000, createdAt: T0 + 1 });
    for (const each of [open, revoked]) await storage().claimCodes.insert(each);
    const listed = async (filter: object) => (await storage().claimCodes.list(filter, { limit: 10 })).items;
    expect(await listed({ identityId })).toEqual([open, revoked]);
    expect(await listed({ identityId, state: 'open' })).toEqual([open]);
    await expect(
      storage().claimCodes.insert(claimCodeRecord(identityId, { publicId: open.publicId })),
    ).rejects.toMatchObject({ fault: 'unique_conflict', detail: 'public_id' });
    await expect(storage().claimCodes.insert(claimCodeRecord(freshId('idn')))).rejects.toMatchObject({
      fault: 'missing_reference',
    });
    expect(await storage().claimCodes.forget(1001, 10)).toBe(1);
    expect(await listed({ identityId })).toEqual([open]);
  });
}
