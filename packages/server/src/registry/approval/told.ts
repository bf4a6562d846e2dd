import type { Decided } from './decide.ts';
import { type AskedView, askedView, decisionView, type DecisionView } from './view.ts';

/** What an event says of a decision: what was asked, who said what, and how far it is. */
export interface ToldDecision extends AskedView {
  state: string;
  decisions: DecisionView[];
  steps: { rule: string; step: number; quorum: number; given: number }[];
}

export function toldOf({ request, decisions, progress }: Decided): ToldDecision {
  return {
    ...askedView(request),
    state: request.state,
    decisions: decisions.map(decisionView),
    steps: progress.map(({ rule, step, asks, given }) => ({ rule, step, quorum: asks.quorum, given })),
  };
}
