import type { IdentityFacts } from '../../registry/facts.ts';
import type { Observation } from '../../registry/finding.ts';
import type { FindingKind, FindingRecord } from '../../storage/findings.ts';
import type { IdentityRecord, IdentityState } from '../../storage/identities.ts';
import type { Circumstances, Detector } from './detector.ts';

/** What there is to do so that the findings of one identity are what its detectors see. */
export type Step =
  | { readonly kind: 'open'; readonly of: FindingKind; readonly observed: Observation }
  | { readonly kind: 'see'; readonly record: FindingRecord; readonly observed: Observation }
  | { readonly kind: 'resolve'; readonly record: FindingRecord };

/** A finding that stays as it is is written down again after this long only. */
const NOTED_EVERY_MS = 6 * 3_600_000;

/** What may act, or may again: a suspended identity keeps its findings, and who accepted them. */
const LOOKED_AT: ReadonlySet<IdentityState> = new Set(['active', 'suspended']);

/** Pure, and empty when all is as it should be: running it again, here or on another node, does nothing twice. */
export function stepsFor(
  detectors: readonly Detector[],
  facts: IdentityFacts,
  live: readonly FindingRecord[],
  circumstances: Circumstances,
): readonly Step[] {
  const { now } = circumstances;
  const { identity } = facts;
  const steps: Step[] = [];
  for (const detector of detectors) {
    const acts = mayAct(identity, now) || looksBeyond(detector, identity);
    const known = new Map(
      live.filter(({ kind }) => kind === detector.kind).map((record) => [record.subjectId, record]),
    );
    for (const observed of acts ? detector.observe(facts, circumstances) : []) {
      const record = known.get(observed.subjectId);
      known.delete(observed.subjectId);
      if (record === undefined) steps.push({ kind: 'open', of: detector.kind, observed });
      else if (isNews(record, observed, now)) steps.push({ kind: 'see', record, observed });
    }
    for (const record of known.values()) {
      if (!acts || now - record.lastSeenAt >= detector.quietMs) steps.push({ kind: 'resolve', record });
    }
  }
  return steps;
}

function looksBeyond({ pastItsEnd, alsoEnding }: Detector, { state }: IdentityRecord): boolean {
  return (
    (pastItsEnd === true && state === 'suspended') || (alsoEnding === true && state === 'decommissioning')
  );
}

export function mayAct({ state, expiresAt }: IdentityRecord, now: number): boolean {
  return LOOKED_AT.has(state) && expiresAt > now;
}

function isNews(record: FindingRecord, observed: Observation, now: number): boolean {
  return (
    record.severity !== observed.severity ||
    record.reason !== observed.reason ||
    record.fix !== observed.fix ||
    (record.state === 'accepted' && (record.acceptedUntil ?? 0) <= now) ||
    now - record.lastSeenAt >= NOTED_EVERY_MS
  );
}
