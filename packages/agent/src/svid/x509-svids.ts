// X.509-SVIDs: their keys are made here and never leave the host but to their workload.
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { createCertificationRequest } from '@countersign/protocol';
import type { Authority, Registration, Served } from '../authority/authority.ts';
import { Changes } from '../changes.ts';

export interface HeldX509Svid {
  /** DER, the leaf first. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8, DER. */
  readonly key: Uint8Array;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface X509Svids {
  /** Rejects as the authority does, where there is none to give meanwhile. */
  get(registration: Registration): Promise<HeldX509Svid>;
  /** Resolves when one was replaced or has ended. */
  changed(signal: AbortSignal): Promise<void>;
  /** Forgets those of other registrations, and gives out none whose authority does not count any more. */
  keepOnly(served: Pick<Served, 'registrations' | 'issuers'>): void;
  close(): void;
}

export interface X509SvidDeps {
  readonly authority: Pick<Authority, 'x509Svid'>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Between 0 and 1: spreads what many agents were told at once. */
  readonly random: () => number;
  readonly report: (text: string) => void;
}

interface Held extends HeldX509Svid {
  readonly madeAt: number;
  timer: NodeJS.Timeout | undefined;
  /** Nobody asked since it was made: it is not made again. */
  asked: boolean;
}

const pair = promisify(generateKeyPair);
/** While the authority is away. */
const AGAIN_MS = 5000;
/** Half the life, a tenth of it earlier or later. */
const JITTER = 0.1;

export function createX509Svids(deps: X509SvidDeps): X509Svids {
  const held = new Map<string, Held>();
  const making = new Map<string, Promise<Held>>();
  const changes = new Changes();
  /** Base64; undefined: the authority does not say. */
  let issuers: ReadonlySet<string> | undefined;
  let closed = false;

  const counts = ({ chain: [, issuer] }: Held): boolean =>
    issuers === undefined || issuer === undefined || issuers.has(base64(issuer));

  const keyOf = ({ id, spiffeId }: Registration): string => JSON.stringify([id, spiffeId]);

  function makeOnce(registration: Registration): Promise<Held> {
    const key = keyOf(registration);
    let made = making.get(key);
    if (made === undefined) {
      made = make(registration).finally(() => making.delete(key));
      making.set(key, made);
    }
    return made;
  }

  async function make(registration: Registration): Promise<Held> {
    const madeAt = deps.now();
    const keys = await pair('ec', { namedCurve: 'P-256' });
    const { chain, expiresAt } = await deps.authority.x509Svid(
      registration,
      createCertificationRequest(keys.privateKey),
    );
    const entry: Held = {
      chain,
      key: pkcs8(keys.privateKey),
      expiresAt,
      madeAt,
      timer: undefined,
      asked: false,
    };
    drop(keyOf(registration));
    if (!closed) {
      held.set(keyOf(registration), entry);
      const half = (expiresAt - madeAt) * (0.5 + JITTER * (2 * deps.random() - 1));
      wake(registration, entry, half);
    }
    return entry;
  }

  function wake(registration: Registration, entry: Held, afterMs: number): void {
    entry.timer = setTimeout(() => void renew(registration, entry), Math.max(afterMs, 0));
    entry.timer.unref();
  }

  /**
   * The old one serves until the new one is there, or until its end: what is withdrawn is not in what is served (`keepOnly`), and to be
   * refused another one, as shortly before the end of a registration, takes nothing away.
   */
  async function renew(registration: Registration, entry: Held): Promise<void> {
    if (held.get(keyOf(registration)) !== entry) return;
    if (entry.expiresAt <= deps.now()) return end(registration);
    if (!entry.asked) return wake(registration, entry, entry.expiresAt - deps.now());
    try {
      await makeOnce(registration);
      changes.tell();
    } catch (error) {
      if (held.get(keyOf(registration)) !== entry) return;
      deps.report(`an X.509-SVID could not be renewed: ${(error as Error).message}`);
      wake(registration, entry, Math.min(AGAIN_MS, entry.expiresAt - deps.now()));
    }
  }

  function end(registration: Registration): void {
    drop(keyOf(registration));
    changes.tell();
  }

  function drop(key: string): void {
    clearTimeout(held.get(key)?.timer);
    held.delete(key);
  }

  return {
    async get(registration) {
      const known = held.get(keyOf(registration));
      const good = known !== undefined && known.expiresAt > deps.now() && counts(known);
      const entry = good ? known : await makeOnce(registration);
      entry.asked = true;
      return entry;
    },
    changed: (signal) => changes.next(signal),
    keepOnly({ registrations, issuers: counting }) {
      issuers = counting === undefined ? undefined : new Set(counting.map(base64));
      const keys = new Set(registrations.map(keyOf));
      for (const key of held.keys()) if (!keys.has(key)) drop(key);
    },
    close() {
      closed = true;
      for (const key of held.keys()) drop(key);
    },
  };
}

function pkcs8(key: KeyObject): Uint8Array {
  return key.export({ type: 'pkcs8', format: 'der' });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
