import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';

interface InboxProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly chosen: string | undefined;
  readonly choose: (key: string) => void;
  readonly summary: (row: Row) => ReactNode;
  /** Letter → what it does; letters work only while the list has the focus (WCAG 2.2, 2.1.4). */
  readonly keys: Readonly<Record<string, () => void>>;
  readonly more?: ReactNode;
  readonly children: ReactNode;
}

/** What waits on the left, one of it on the right: arrow keys move, letters decide. */
export function Inbox<Row>({
  label,
  rows,
  keyOf,
  chosen,
  choose,
  summary,
  keys,
  more,
  children,
}: InboxProps<Row>): ReactNode {
  const list = useRef<HTMLUListElement>(null);
  const at = rows.findIndex((row) => keyOf(row) === chosen);
  useEffect(() => {
    const option = list.current?.querySelector('[aria-selected="true"]');
    option?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>): void => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = step === undefined ? undefined : rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (row !== undefined) {
      event.preventDefault();
      choose(keyOf(row));
      return;
    }
    const act = keys[event.key.toLowerCase()];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <div className="inbox">
      <div>
        <ul
          ref={list}
          role="listbox"
          tabIndex={0}
          aria-label={label}
          aria-activedescendant={chosen === undefined ? undefined : `inbox-${chosen}`}
          onKeyDown={onKeyDown}
        >
          {rows.map((row) => (
            <li
              key={keyOf(row)}
              id={`inbox-${keyOf(row)}`}
              role="option"
              aria-selected={keyOf(row) === chosen}
              onClick={() => choose(keyOf(row))}
            >
              {summary(row)}
            </li>
          ))}
        </ul>
        {more}
      </div>
      <div className="inbox-one">{children}</div>
    </div>
  );
}
