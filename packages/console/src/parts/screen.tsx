import { type ReactNode, useEffect } from 'react';

interface ScreenProps {
  readonly title: string;
  /** One plain sentence: what is seen here, and what can be done. */
  readonly says?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** What every screen has: a heading, which is the title of the page, and a sentence. */
export function Screen({ title, says, actions, children }: ScreenProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
  return (
    <>
      <div className="screen-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {says === undefined ? null : <p className="says">{says}</p>}
        </div>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** Counts what is there so far, and says when it is not all. */
export function Count({
  rows,
  whole,
  asking,
  noun,
}: {
  rows: number;
  whole: boolean;
  asking: boolean;
  noun: string;
}): ReactNode {
  const many = `${rows.toLocaleString('en')} ${noun}`;
  return (
    <p className="count" role="status">
      {asking && rows === 0 ? 'Loading…' : whole ? many : `${many} so far; scroll for more`}
    </p>
  );
}
