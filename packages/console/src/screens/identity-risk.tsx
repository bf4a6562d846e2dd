import type { ReactNode } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { Problem } from '../parts/problem.tsx';
import { Link } from '../routing/navigation.tsx';
import { command } from '../words/command.ts';

/** The risk of a machine with its arithmetic: every row says what it adds and what makes it smaller. */
export function IdentityRisk({ id }: { id: string }): ReactNode {
  const asked = useAnswer('risk.get', { params: { id } });
  const risk = asked.data;
  return (
    <section aria-labelledby="risk">
      <h2 id="risk">Risk{risk === undefined ? '' : `: ${risk.score} of 100, ${risk.band}`}</h2>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {risk === undefined || risk.rows.length === 0 ? null : (
        <ul className="arithmetic">
          {risk.rows.map((row) => (
            <li key={`${row.group} ${row.factor} ${row.why}`}>
              <strong>+{row.points}</strong> {row.why}
              {row.fix === null ? null : <CommandLine label="Smaller by" text={row.fix} />}
            </li>
          ))}
        </ul>
      )}
      <p>
        <Link to={{ screen: 'findings', query: { identity: id, state: 'open' } }}>Its findings</Link>
      </p>
      <CommandLine text={command(['identities', 'risk', id])} />
    </section>
  );
}
