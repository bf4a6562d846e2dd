import type { Clock } from '../../clock.ts';
import { newId, type RandomBytes } from '../../ids.ts';
import { takeReport, type UsageReport, type UsageRow } from '../../registry/use/take-report.ts';
import type { Storage } from '../../storage/storage.ts';
import { builtIn } from './admin-identity.ts';

/** What of the authority's own API is used. It is a resource server like any other, and tells what it lets through. */
export interface OwnUse {
  /** One request with a genuine token; `scopes` is what the operation required. */
  count(
    who: { readonly credential?: string | undefined; readonly access?: string | undefined },
    scopes: readonly string[],
    ok: boolean,
  ): void;
  /** Writes what was counted. What could not be written is written the next time, and counts once. `final`: nothing follows. */
  report(final?: boolean): Promise<void>;
}

export interface OwnUseDeps {
  readonly storage: Pick<Storage, 'transaction'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Name of this process. */
  readonly node: string;
}

/** Combinations of caller and scope between two reports; of more it is only said that there were some. */
const MOST_KEYS = 10_000;
const COPY = /[^A-Za-z0-9._-]/g;

type Mutable = { -readonly [name in keyof UsageRow]: UsageRow[name] };

export function createOwnUse(deps: OwnUseDeps): OwnUse {
  const { clock, random, node } = deps;
  const copy = { instance: node.replace(COPY, '-').slice(0, 64), boot: newId('evt', random) };
  let counts = new Map<string, Mutable>();
  let blind = false;
  let seq = 0;
  let toldUntil = clock.now();
  /** Numbered and perhaps not written: it stays as it is until it is. */
  let pending: Omit<UsageReport, 'resourceServer' | 'reporterId'> | undefined;

  function next(final: boolean): NonNullable<typeof pending> {
    const to = Math.max(clock.now(), toldUntil);
    const report = {
      ...copy,
      seq: ++seq,
      from: toldUntil,
      to,
      more: false,
      blind,
      final,
      rows: [...counts.values()],
      others: [],
      routes: [],
    };
    counts = new Map();
    blind = false;
    toldUntil = to;
    return report;
  }

  /** Before the first start has made it there is no API to tell of. */
  async function write(report: NonNullable<typeof pending>): Promise<void> {
    await deps.storage.transaction(async (stores) => {
      const own = await builtIn(stores);
      if (own === undefined) return;
      const { resourceServer, identity } = own;
      const whole = { ...report, resourceServer, reporterId: identity.id };
      await takeReport(clock.now(), stores, () => undefined, whole);
    });
  }

  return {
    count({ credential, access }, scopes, ok) {
      if (credential === undefined || access === undefined) return;
      for (const scope of scopes) {
        const key = `${access} ${credential} ${scope}`;
        let row = counts.get(key);
        if (row === undefined) {
          if (counts.size >= MOST_KEYS) {
            blind ||= ok;
            continue;
          }
          row = { accessId: access, credentialId: credential, scope, ok: 0, denied: 0 };
          counts.set(key, row);
        }
        if (ok) row.ok++;
        else row.denied++;
      }
    },

    async report(final = false) {
      if (pending !== undefined) await write(pending);
      pending = next(final);
      await write(pending);
      pending = undefined;
    },
  };
}
