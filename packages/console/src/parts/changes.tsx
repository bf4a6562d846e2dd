import type { ReactNode } from 'react';

interface ChangesProps {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly fields: readonly string[];
}

/** What is so, and what would be: member by member. */
export function Changes({ before, after, fields }: ChangesProps): ReactNode {
  const names = fields.length > 0 ? fields : Object.keys(after ?? before ?? {});
  return (
    <div className="table-box short" role="region" aria-label="What changes" tabIndex={0}>
      <table className="changes">
        <thead>
          <tr>
            <th scope="col">Member</th>
            {before === null ? null : <th scope="col">Now</th>}
            {after === null ? null : <th scope="col">{before === null ? 'Asked for' : 'Then'}</th>}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {before === null ? null : <td>{shown(before[name])}</td>}
              {after === null ? null : <td>{shown(after[name])}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (Array.isArray(value)) return value.map(shown).join(' ');
  if (typeof value === 'object') return JSON.stringify(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
