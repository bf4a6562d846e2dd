import { type ReactNode, useState } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { UseMark } from '../parts/marks.tsx';
import { PathGraph } from '../parts/path-graph.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Link } from '../routing/navigation.tsx';
import { ACCESS_STATE } from '../words/states.ts';
import { StateMark } from '../parts/marks.tsx';
import { minute } from '../words/time.ts';
import { pathsOf } from './access-facts.ts';
import { Why } from './why.tsx';

/** All that one machine reaches, as paths and as a table, and on asking why. */
export function PathsPanel({ identity, at }: { identity: string; at: string | undefined }): ReactNode {
  const query = { identity, limit: 200, ...(at === undefined ? {} : { as_of: at }) };
  const asked = useAnswer('access.list', { query });
  const [why, setWhy] = useState<string>();
  const paths = pathsOf(asked.data?.items ?? []);
  const chosen = paths.find(({ access, scope }) => `${access} ${scope}` === why);
  return (
    <>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {asked.data !== undefined && paths.length === 0 ? <Nothing title="It reaches nothing." /> : null}
      {paths.length === 0 ? null : (
        <>
          <PathGraph identity={identity} paths={paths} />
          <div className="table-box short" role="region" aria-label={`What ${identity} reaches`} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">API</th>
                  <th scope="col">Scope</th>
                  <th scope="col">State</th>
                  <th scope="col">Use</th>
                  <th scope="col">Last used</th>
                  <th scope="col">Why</th>
                </tr>
              </thead>
              <tbody>
                {paths.map((path) => (
                  <tr key={`${path.access} ${path.scope}`}>
                    <td title={path.resource}>
                      <Link to={{ screen: 'access', query: { resource_server: path.resource } }}>
                        {path.resource}
                      </Link>
                    </td>
                    <td>{path.scope}</td>
                    <td>
                      <StateMark of={ACCESS_STATE[path.state]} />
                    </td>
                    <td>
                      <UseMark of={path.use} />
                    </td>
                    <td>{path.lastUsed === null ? '–' : minute(path.lastUsed)}</td>
                    <td>
                      <button
                        type="button"
                        className="small"
                        aria-expanded={why === `${path.access} ${path.scope}`}
                        aria-label={`Why ${path.scope} at ${path.resource}`}
                        onClick={() => setWhy(`${path.access} ${path.scope}`)}
                      >
                        Why?
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {chosen === undefined ? null : (
        <Why identity={identity} resource={chosen.resource} scope={chosen.scope} at={at} />
      )}
    </>
  );
}
