import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { freePort, startAuthority } from '../authority-process.ts';
import { openAdmin } from '../wire/admin.ts';
import { filesBelow } from '../wire/leaks.ts';
import { freshName, seedScene } from '../wire/scene.ts';
import type { ClientCredentials, Target } from '../wire/target.ts';
import { startLoad, tokenRequest, type LoadResult } from './run-load.ts';

const SOURCES = 50;
const RIGHTFUL_CONNECTIONS = 16;

export interface StrangersPlan {
  readonly refusals: number;
  /** How long the rightful clients are measured, alone and again during the attack. */
  readonly measureSeconds: number;
}

export interface StrangersReport {
  readonly aloneRate: number;
  readonly attackedRate: number;
  readonly refusalsPerSecond: number;
  /** Bytes of all events that tell of refusals, as the API gives them. */
  readonly eventBytes: number;
  /** Growth of the data directory for all refusals, extrapolated from the time without rightful load. */
  readonly diskBytes: number;
  readonly verbatim: number;
  readonly summarised: number;
}

/** Strangers at the door from many addresses while rightful clients work. The caller judges the report. */
export async function strangersAtTheDoor(plan: StrangersPlan): Promise<StrangersReport> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-strangers-'));
  const port = await freePort();
  let authority = await startAuthority({ folder, port });
  const adminSecret = authority.target.admin?.client.secret;
  try {
    const { target } = authority;
    const scene = await seedScene('rightful', target);
    const rightful = (): Promise<LoadResult> =>
      startLoad(target, {
        connections: Array.from({ length: RIGHTFUL_CONNECTIONS }, () => ({
          requests: [tokenRequest(target, scene.client)],
        })),
        seconds: plan.measureSeconds,
      }).result;

    await startLoad(target, { connections: [{ requests: [tokenRequest(target, scene.client)] }], seconds: 1 })
      .result;
    const alone = await rightful();
    const attack = startLoad(target, {
      connections: Array.from({ length: SOURCES }, (_, at) => ({
        from: `127.0.0.${at + 2}`,
        requests: wrongRequests(target, scene.client),
      })),
      total: plan.refusals,
    });
    await sleep(1000);
    const attacked = await rightful();
    // the index of the log follows it; what it still writes belongs to the rightful tokens
    await sleep(1500);
    const before = bytesBelow(authority.dataDir);
    const beforeAt = performance.now();
    const result = await attack.result;
    const quietSeconds = (performance.now() - beforeAt) / 1000;
    const after = bytesBelow(authority.dataDir);
    // measured before and after: on a machine with other work to do one of them alone says little
    const aloneAgain = await rightful();
    for (const load of [alone, aloneAgain]) expect(Object.keys(load.answers)).toEqual(['200']);
    expect(Object.keys(attacked.answers)).toEqual(['200']);
    expect(result.broken, 'requests of strangers left without an answer').toBe(0);
    expect(result.answers).toEqual({ 401: plan.refusals });

    // what is only counted so far is written when the authority stops
    expect(await authority.stop()).toBe(0);
    authority = await startAuthority({ folder, port, adminSecret });
    const counted = await countRefusals(authority.target);
    return {
      ...counted,
      aloneRate: (rateOf(alone) + rateOf(aloneAgain)) / 2,
      attackedRate: rateOf(attacked),
      refusalsPerSecond: plan.refusals / result.seconds,
      diskBytes: ((after - before) * result.seconds) / Math.max(quietSeconds, 0.5),
    };
  } finally {
    await authority.stop('SIGKILL').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The ways in which strangers are wrong: no such client, a known one with a wrong secret, one with a well-formed secret. */
function wrongRequests(target: Target, known: ClientCredentials): string[] {
  const shaped = known.secret.replace(/_[A-Za-z0-9]+$/, `_${'A'.repeat(38)}`);
  return [
    { id: freshName('nobody'), secret: 'guess' },
    { id: freshName('nobody'), secret: shaped },
    { id: known.id, secret: 'guess' },
    { id: known.id, secret: shaped },
  ].map((client) => tokenRequest(target, client));
}

async function countRefusals(
  target: Target,
): Promise<{ verbatim: number; summarised: number; eventBytes: number }> {
  const admin = openAdmin(target);
  const sources = new Set(Array.from({ length: SOURCES }, (_, at) => `127.0.0.${at + 2}`));
  const list = async (type: string): Promise<Record<string, unknown>[]> => {
    const events = await admin.all(`${target.issuer}/audit/events?type=${type}&limit=200`, 100_000);
    return events.filter((event) => sources.has(String(event['source'])) || event['source'] === '*');
  };
  const verbatim = await list('token.refused');
  const summaries = await list('token.refusals_summarised');
  const counts = summaries.map((event) => Number((event['detail'] as Record<string, unknown>)['count']));
  return {
    verbatim: verbatim.length,
    summarised: counts.reduce((sum, count) => sum + count, 0),
    eventBytes: Buffer.byteLength(JSON.stringify([...verbatim, ...summaries])),
  };
}

function rateOf(load: LoadResult): number {
  return (load.answers['200'] ?? 0) / load.seconds;
}

function bytesBelow(folder: string): number {
  return filesBelow([folder]).reduce((sum, file) => sum + statSync(file).size, 0);
}
