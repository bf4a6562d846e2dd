import type { ReactNode } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { Problem } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Link } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { exactly, seconds } from '../words/time.ts';
import { Exposure } from './exposure.tsx';

/** Milliseconds between two looks at the receipts. */
const EVERY_MS = 1000;

/** One order, with its receipts as they come in. */
export function CutoffScreen({ subject = '' }: ScreenProps): ReactNode {
  const asked = useAnswer('cutoffs.get', { params: { id: subject } }, { every: EVERY_MS });
  const report = asked.data;
  return (
    <Screen
      title={report === undefined ? 'Cut-off' : `Cut off: ${report.kind} ${report.target}`}
      says={report?.reason}
    >
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {report === undefined ? null : (
        <>
          <p role="status">
            <strong>
              {report.all_confirmed
                ? '✓ Every verifier that follows has confirmed it.'
                : '… Not every verifier has confirmed it yet; this page looks each second.'}
            </strong>
          </p>
          <dl className="facts">
            <dt>Refused are</dt>
            <dd>tokens issued until {exactly(report.not_before)}</dd>
            <dt>Ordered by</dt>
            <dd>
              {report.ordered_by}, {exactly(report.created_at)}
            </dd>
            <dt>Worst case</dt>
            <dd>{seconds(report.worst_case)}</dd>
            {report.kind === 'identity' ? (
              <>
                <dt>Identity</dt>
                <dd>
                  <Link to={{ screen: 'identities', subject: report.target }}>{report.target}</Link>
                </dd>
              </>
            ) : null}
          </dl>
          <h2>Receipts</h2>
          <Exposure servers={report.resource_servers} ordered />
        </>
      )}
      <CommandLine text={command(['cutoffs', 'show', subject])} />
    </Screen>
  );
}
