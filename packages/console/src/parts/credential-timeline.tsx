import type { Credential } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { day, fromNow } from '../words/time.ts';
import { CREDENTIAL_STATE } from '../words/states.ts';
import { frameOf, laneOf } from './lanes.ts';

const WIDTH = 880;
const ROW = 26;
const LABEL = 200;

/** Credentials in time: a bar for each, from its first day to its end, with today across all. The table beside it says the same. */
export function CredentialTimeline({
  credentials,
  now,
}: {
  credentials: readonly Credential[];
  now: number;
}): ReactNode {
  const spans = credentials.map(({ not_before: from, expires_at: to }) => ({
    from: Date.parse(from),
    to: Date.parse(to),
  }));
  const frame = frameOf(spans, now);
  const width = WIDTH - LABEL - 10;
  const today = LABEL + laneOf({ from: now, to: now }, frame, width).from;
  const height = credentials.length * ROW + 24;
  return (
    <svg
      className="timeline"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label="Credentials in time; the table below says the same"
    >
      {credentials.map((credential, at) => {
        const lane = laneOf(spans[at] ?? { from: now, to: now }, frame, width);
        const y = at * ROW + 4;
        const ends = `${day(credential.expires_at)}, ${fromNow(credential.expires_at, now)}`;
        return (
          <g key={credential.id} className={`lane lane-${credential.state}`}>
            <title>{`${credential.label}: ${CREDENTIAL_STATE[credential.state].word}, ends ${ends}`}</title>
            <text x={0} y={y + 14}>
              {credential.label.length > 28 ? `${credential.label.slice(0, 27)}…` : credential.label}
            </text>
            <rect
              x={LABEL + lane.from}
              y={y + 3}
              width={lane.width}
              height={14}
              rx={lane.cutLeft || lane.cutRight ? 0 : 4}
            />
          </g>
        );
      })}
      <line x1={today} x2={today} y1={0} y2={height - 18} className="today" />
      <text x={today + 4} y={height - 5} className="today-text">
        today
      </text>
      <text x={WIDTH - 10} y={height - 5} textAnchor="end" className="today-text">
        {day(new Date(frame.end).toISOString())}
      </text>
    </svg>
  );
}
