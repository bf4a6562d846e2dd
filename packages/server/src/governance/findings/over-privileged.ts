import type { AccessFacts } from '../../registry/facts.ts';
import type { Observation } from '../../registry/finding.ts';
import type { FindingSeverity } from '../../storage/findings.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableAccess } from './usable.ts';

/** Holds what it has not used over its whole window, where use would have been seen: an open proposal to take it away. */
export const overPrivileged: Detector = {
  kind: 'over_privileged',
  quietMs: 0,
  observe(facts, { now, proposals = [] }) {
    const access = new Map(usableAccess(facts, now).map((each) => [each.access.id, each]));
    return proposals.flatMap((proposal) => {
      const held = access.get(proposal.subjectId);
      if (proposal.state !== 'open' || held === undefined) return [];
      if (proposal.kind !== 'remove' && proposal.kind !== 'narrow') return [];
      return [observationOf(proposal, held)];
    });
  },
};

function observationOf({ id, kind, reason, change }: ProposalRecord, held: AccessFacts): Observation {
  const { identifier, scopes } = held.resourceServer;
  const idle = scopes.filter(({ name }) => change.take?.includes(name) === true);
  return {
    subject: 'access',
    subjectId: held.access.id,
    severity: severityOf(Math.max(0, ...idle.map(({ sensitivity }) => sensitivity))),
    reason: kind === 'remove' ? `its access to ${identifier} ${reason}` : `at ${identifier} ${reason}`,
    fix: command('proposals', 'apply', id),
  };
}

function severityOf(sensitivity: number): FindingSeverity {
  if (sensitivity >= 3) return 'high';
  return sensitivity === 2 ? 'medium' : 'low';
}
