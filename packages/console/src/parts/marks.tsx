import type { ReactNode } from 'react';
import { USE, type Use, type Word } from '../words/states.ts';

/** A state: mark, word and tone. */
export function StateMark({ of }: { of: Word }): ReactNode {
  return (
    <span className={`state state-${of.tone}`}>
      <span aria-hidden="true">{of.mark}</span> {of.word}
    </span>
  );
}

/** Filled: used. Hollow: unused. Hatched: unknown. The shape says it without colour, the word without the shape. */
export function UseMark({ of, word = true }: { of: Use; word?: boolean }): ReactNode {
  return (
    <span className={`use use-${of}`} title={USE[of].means}>
      <UseShape of={of} />
      {word ? <span>{USE[of].word}</span> : <span className="unseen">{USE[of].word}</span>}
    </span>
  );
}

function UseShape({ of }: { of: Use }): ReactNode {
  return (
    <svg className="use-shape" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
      {of === 'used' ? <rect x="1" y="1" width="12" height="12" rx="2" className="use-fill" /> : null}
      {of === 'unused' ? <rect x="2" y="2" width="10" height="10" rx="2" className="use-line" /> : null}
      {of === 'held' ? <circle cx="7" cy="7" r="4" className="use-fill" /> : null}
      {of === 'unknown' ? (
        <>
          <rect x="2" y="2" width="10" height="10" rx="2" className="use-line use-dashed" />
          <path d="M4 12 12 4M2 9 9 2M7 13 13 7" className="use-line" />
        </>
      ) : null}
    </svg>
  );
}

export function Legend(): ReactNode {
  return (
    <ul className="legend" aria-label="What the marks mean">
      {(['used', 'unused', 'unknown'] as const).map((each) => (
        <li key={each}>
          <UseMark of={each} /> <span className="quiet">{USE[each].means}.</span>
        </li>
      ))}
    </ul>
  );
}
