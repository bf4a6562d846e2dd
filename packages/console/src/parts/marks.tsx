import type { ReactNode } from 'react';
import type { Word } from '../words/states.ts';

/** A state: mark, word and tone. */
export function StateMark({ of }: { of: Word }): ReactNode {
  return (
    <span className={`state state-${of.tone}`}>
      <span aria-hidden="true">{of.mark}</span> {of.word}
    </span>
  );
}
