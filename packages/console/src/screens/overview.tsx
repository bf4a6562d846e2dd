import type { ReactNode } from 'react';
import { useAdmin, useAnswer, useQuestion } from '../connection/use-admin.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Link } from '../routing/navigation.tsx';
import { plural } from '../words/time.ts';
import { readWork, type Task } from './overview-work.ts';

/** Milliseconds after which it is looked again. */
const EVERY_MS = 30_000;

/** Are we fine, and what needs me? */
export function OverviewScreen(): ReactNode {
  const { client, me } = useAdmin();
  const work = useQuestion('overview', () => readWork(client, me, Date.now()), { every: EVERY_MS });
  const risk = useAnswer('risk.list', { query: { limit: 8, min_score: 25 } }, { every: EVERY_MS });
  const { data } = work;
  return (
    <Screen title="Overview" says={data === undefined ? 'Looking…' : sentenceOf(data.tasks)}>
      {work.error === undefined ? null : <Problem error={work.error} again={work.again} />}
      {data === undefined ? null : (
        <ul className="tiles">
          {data.tiles.map(({ title, count, more, says, to }) => (
            <li key={title}>
              <Link to={to} className="tile">
                <span className="tile-count">
                  {count.toLocaleString('en')}
                  {more ? '+' : ''}
                </span>
                <span className="tile-title">{title}</span>
                <span className="quiet">{says}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <div className="columns">
        <section aria-labelledby="work">
          <h2 id="work">What needs you</h2>
          {data === undefined ? null : data.tasks.length === 0 ? (
            <Nothing title="Nothing waits for you.">
              <p>What others ask for, what ends soon and what is wrong appears here by itself.</p>
            </Nothing>
          ) : (
            <ol className="work">
              {data.tasks.map((task) => (
                <WorkRow key={task.key} task={task} />
              ))}
            </ol>
          )}
        </section>
        <section aria-labelledby="risk">
          <h2 id="risk">Highest risk</h2>
          {risk.error === undefined ? null : <Problem error={risk.error} again={risk.again} />}
          {risk.data?.items.length === 0 ? (
            <Nothing title="No identity has a risk of 25 or more.">
              <p>Scores are looked at once an hour, and when something changes.</p>
            </Nothing>
          ) : (
            <ol className="risks">
              {risk.data?.items.map(({ identity, client_id: clientId, score, band }) => (
                <li key={identity}>
                  <Link to={{ screen: 'identities', subject: clientId }}>{clientId}</Link>
                  <meter min={0} max={100} value={score} aria-label={`Risk of ${clientId}`} />
                  <span>
                    {score} {band}
                  </span>
                </li>
              ))}
            </ol>
          )}
        </section>
      </div>
    </Screen>
  );
}

function WorkRow({ task: { kind, title, says, to } }: { task: Task }): ReactNode {
  return (
    <li>
      <span className="work-kind">{kind}</span>
      <Link to={to}>{title}</Link>
      <span className="quiet">{says}</span>
    </li>
  );
}

function sentenceOf(tasks: readonly Task[]): string {
  if (tasks.length === 0) return 'All is well: nothing needs you.';
  const many = tasks.length;
  return many === 1 ? 'One thing needs you.' : `${plural(many, 'thing')} need you; the most urgent first.`;
}
