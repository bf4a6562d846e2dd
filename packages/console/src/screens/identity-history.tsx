import type { ReactNode } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Link } from '../routing/navigation.tsx';
import { command } from '../words/command.ts';
import { exactly } from '../words/time.ts';

/** What the audit log has of a machine lately. */
export function IdentityHistory({ clientId, from }: { clientId: string; from: string }): ReactNode {
  const query = { identity: clientId, from };
  const asked = useAnswer('audit.events', { query: { ...query, limit: 100 } });
  const events = asked.data?.items ?? [];
  return (
    <section aria-labelledby="history">
      <h2 id="history">What it did in the last 24 hours</h2>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {asked.data !== undefined && events.length === 0 ? (
        <Nothing title="Nothing was written down of it in that time." />
      ) : (
        <ol className="waterfall">
          {events.map((event) => (
            <li key={event.id}>
              <time dateTime={event.at}>{exactly(event.at)}</time>
              <strong>{event.type}</strong>
              <span>
                {event.outcome === 'success'
                  ? ''
                  : `${event.outcome}${event.reason === undefined ? '' : `: ${event.reason}`} `}
                {event.resource ?? ''}{' '}
                {event.jti === undefined ? null : (
                  <Link to={{ screen: 'trace', subject: event.jti }}>trace {event.jti}</Link>
                )}
              </span>
            </li>
          ))}
        </ol>
      )}
      {(asked.data?.next_cursor ?? null) === null ? null : <p>There is more; the command below gives it.</p>}
      <CommandLine text={command(['audit', 'events'], query, ['--all'])} />
    </section>
  );
}
