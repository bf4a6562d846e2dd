import type { ChangeEvent } from '../audit/change.ts';
import type { Clock } from '../clock.ts';
import { type RandomBytes, newId } from '../ids.ts';
import type { KeyAlgorithm, SigningKeyRecord } from '../storage/signing-keys.ts';
import type { Stores } from '../storage/storage.ts';
import type { Signer } from './signer.ts';

/** All in milliseconds. */
export interface RotationSchedule {
  /** How long a key signs. */
  readonly period: number;
  /** How long a key is published before it signs: longer than any cache of the JWKS. */
  readonly lead: number;
  /** How long a key stays published after it has signed for the last time: the longest token and a margin. */
  readonly retention: number;
}

export interface RotationDeps {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly schedule: RotationSchedule;
}

export type RotationMode =
  /** What the schedule asks for at this moment, possibly nothing. */
  | 'due'
  /** An operator's order: the next key signs now, provided that it has been published long enough. */
  | 'now';

/** The next key is too young: verifiers with a cached JWKS would refuse its tokens. */
export class NextKeyTooYoung extends Error {
  /** Epoch ms. */
  readonly readyAt: number;
  constructor(readyAt: number) {
    super(`the next key may sign from ${new Date(readyAt).toISOString()} on`);
    this.name = 'NextKeyTooYoung';
    this.readyAt = readyAt;
  }
}

type Tell = (event: ChangeEvent) => void;

/**
 * Brings the keys of one algorithm to where the schedule wants them, in the caller's transaction: one active, one next,
 * retiring ones until their last token has expired. Idempotent; two nodes at once end in one `version_conflict`.
 */
export async function rotate(
  deps: RotationDeps,
  stores: Stores,
  alg: KeyAlgorithm,
  mode: RotationMode,
  tell: Tell,
): Promise<void> {
  const now = deps.clock.now();
  const keys = (await stores.signingKeys.live()).filter((key) => key.alg === alg);
  for (const key of keys) {
    if (key.state === 'retiring' && (key.removeAt ?? 0) <= now) await retire(stores, key, tell);
  }
  const active = keys.find((key) => key.state === 'active');
  const next = keys.find((key) => key.state === 'next');
  if (active === undefined) {
    // The very first key, or the one after a compromise: nobody waits for a lead time then.
    await (next === undefined
      ? create(deps, stores, alg, 'active', tell)
      : activate(stores, next, now, tell));
    if (next !== undefined || mode === 'due') await create(deps, stores, alg, 'next', tell);
    return;
  }
  if (next === undefined) {
    await create(deps, stores, alg, 'next', tell);
    return;
  }
  const readyAt = next.createdAt + deps.schedule.lead;
  if (mode === 'now' && readyAt > now) throw new NextKeyTooYoung(readyAt);
  if (mode === 'now' || (active.activeAt + deps.schedule.period <= now && readyAt <= now)) {
    await retireLater(deps, stores, active, now, tell);
    await activate(stores, next, now, tell);
    await create(deps, stores, alg, 'next', tell);
  }
}

/** Where a resource server asks for an algorithm that nobody has asked for before, its keys are made with it. */
export async function ensureSigningKey(
  deps: RotationDeps,
  stores: Stores,
  alg: KeyAlgorithm,
  tell: Tell,
): Promise<void> {
  const keys = await stores.signingKeys.live();
  if (!keys.some((key) => key.alg === alg && key.state === 'active')) {
    await rotate(deps, stores, alg, 'due', tell);
  }
}

/** `rotate` as it is due, for every algorithm that has keys and for the one that always has. */
export async function rotateAll(deps: RotationDeps, stores: Stores, tell: Tell): Promise<void> {
  const algs = new Set((await stores.signingKeys.live()).map((key) => key.alg)).add('ES256');
  for (const alg of algs) await rotate(deps, stores, alg, 'due', tell);
}

async function create(
  deps: RotationDeps,
  stores: Stores,
  alg: KeyAlgorithm,
  state: 'next' | 'active',
  tell: Tell,
): Promise<void> {
  const now = deps.clock.now();
  const kid = newId('key', deps.random);
  const made = await deps.signer.generate(alg, kid);
  await stores.signingKeys.insert({
    kid,
    alg,
    state,
    publicJwk: made.publicJwk,
    sealedPrivateKey: made.sealedPrivateKey,
    createdAt: now,
    activeAt: now,
    retiringAt: undefined,
    removeAt: undefined,
    version: 1,
  });
  tell({ type: 'key.created', resource: kid, after: { alg, state } });
}

async function activate(stores: Stores, key: SigningKeyRecord, now: number, tell: Tell): Promise<void> {
  await stores.signingKeys.replace({ ...key, state: 'active', activeAt: now, version: key.version + 1 });
  tell({
    type: 'key.activated',
    resource: key.kid,
    before: { state: key.state },
    after: { state: 'active' },
  });
}

async function retireLater(
  deps: RotationDeps,
  stores: Stores,
  key: SigningKeyRecord,
  now: number,
  tell: Tell,
): Promise<void> {
  const removeAt = now + deps.schedule.retention;
  await stores.signingKeys.replace({
    ...key,
    state: 'retiring',
    retiringAt: now,
    removeAt,
    version: key.version + 1,
  });
  tell({
    type: 'key.retiring',
    resource: key.kid,
    before: { state: key.state },
    after: { state: 'retiring' },
  });
}

async function retire(stores: Stores, key: SigningKeyRecord, tell: Tell): Promise<void> {
  await stores.signingKeys.replace({
    ...key,
    state: 'retired',
    sealedPrivateKey: '',
    version: key.version + 1,
  });
  tell({ type: 'key.retired', resource: key.kid, before: { state: key.state }, after: { state: 'retired' } });
}

/** A key that somebody else may hold: gone from the JWKS at once; the next one takes over. Undefined when unknown. */
export async function compromise(
  deps: RotationDeps,
  stores: Stores,
  kid: string,
  tell: Tell,
): Promise<SigningKeyRecord | undefined> {
  const key = await stores.signingKeys.byKid(kid);
  if (key === undefined || key.state === 'retired' || key.state === 'compromised') return undefined;
  const gone: SigningKeyRecord = {
    ...key,
    state: 'compromised',
    sealedPrivateKey: '',
    version: key.version + 1,
  };
  await stores.signingKeys.replace(gone);
  tell({
    type: 'key.compromised',
    resource: kid,
    before: { state: key.state },
    after: { state: 'compromised' },
  });
  await rotate(deps, stores, key.alg, 'due', tell);
  return gone;
}
