import type { ReactNode } from 'react';
import type { Path } from '../screens/access-facts.ts';
import { USE } from '../words/states.ts';

const ROW = 30;
const WIDTH = 900;
const COLUMN = [10, 340, 640] as const;
const BOX = 250;
const MOST = 40;

/** Identity → scope → API. A solid line was used, a dashed one was not, a dotted one nobody can tell of; the thicker, the more calls. */
export function PathGraph({ identity, paths }: { identity: string; paths: readonly Path[] }): ReactNode {
  const shown = paths.slice(0, MOST);
  const resources = [...new Set(shown.map(({ resource }) => resource))];
  const rows = Math.max(shown.length, resources.length, 1);
  const height = rows * ROW + 12;
  const yOfScope = (at: number): number => at * ROW + ROW / 2 + 6;
  const yOfResource = (at: number): number => ((at + 0.5) * rows * ROW) / resources.length + 6;
  const middle = (rows * ROW) / 2 + 6;
  return (
    <figure className="path-graph">
      <svg
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label={`${identity} reaches ${resources.length} APIs by ${paths.length} scopes; the table below says the same`}
      >
        {shown.map((path, at) => (
          <g
            key={`${path.access} ${path.scope}`}
            className={`edge edge-${path.use}`}
            strokeWidth={thickness(path.calls)}
          >
            <path d={curve(COLUMN[0] + BOX, middle, COLUMN[1], yOfScope(at))} />
            <path
              d={curve(
                COLUMN[1] + BOX,
                yOfScope(at),
                COLUMN[2],
                yOfResource(resources.indexOf(path.resource)),
              )}
            />
          </g>
        ))}
        <Node x={COLUMN[0]} y={middle} text={identity} />
        {shown.map((path, at) => (
          <Node
            key={`${path.access} ${path.scope}`}
            x={COLUMN[1]}
            y={yOfScope(at)}
            text={path.scope}
            says={USE[path.use].word}
          />
        ))}
        {resources.map((resource, at) => (
          <Node key={resource} x={COLUMN[2]} y={yOfResource(at)} text={resource} />
        ))}
      </svg>
      {paths.length > MOST ? (
        <figcaption className="quiet">{paths.length - MOST} more are in the table only.</figcaption>
      ) : null}
    </figure>
  );
}

function Node({ x, y, text, says }: { x: number; y: number; text: string; says?: string }): ReactNode {
  return (
    <g className="node">
      <title>{says === undefined ? text : `${text}: ${says}`}</title>
      <rect x={x} y={y - 11} width={BOX} height={22} rx={4} />
      <text x={x + 8} y={y + 4}>
        {text.length > 36 ? `${text.slice(0, 35)}…` : text}
      </text>
    </g>
  );
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const half = (x1 + x2) / 2;
  return `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
}

function thickness(calls: number): number {
  return calls === 0 ? 1.5 : Math.min(6, 1.5 + Math.log10(calls));
}
