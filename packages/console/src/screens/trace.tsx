import type { ResponseOf } from '@countersign/admin-api';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { CsvButton } from '../parts/csv.tsx';
import { UseMark } from '../parts/marks.tsx';
import { Nothing, Problem } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Link, useNavigation } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { exactly, minute } from '../words/time.ts';

type Trace = ResponseOf<'tokens.trace'>;

const STAGE: Readonly<Record<Trace['rows'][number]['stage'], string>> = {
  request: 'Asked for',
  approval: 'Approved',
  access: 'Access',
  identity: 'Identity',
  credential: 'Credential',
  token: 'Token',
  use: 'Used',
  cutoff: 'Cut off',
};

/** What happened with one token: from who asked for the access to what ended it. */
export function TraceScreen({ subject }: ScreenProps): ReactNode {
  const { to } = useNavigation();
  const [typed, setTyped] = useState(subject ?? '');
  const asked = useAnswer(
    'tokens.trace',
    { params: { jti: subject ?? '' } },
    { when: subject !== undefined },
  );
  const find = (event: FormEvent): void => {
    event.preventDefault();
    const jti = typed.trim();
    if (jti !== '') to({ screen: 'trace', subject: jti });
  };
  const trace = asked.data;
  return (
    <Screen
      title="Trace"
      says="What happened with a token: who asked for the access, who approved it, by which credential the token came, what used it and what ended it."
      actions={
        trace === undefined ? undefined : (
          <CsvButton
            name={`trace-${subject}`}
            rows={() => Promise.resolve(trace.rows)}
            cells={[
              ['at', (row) => row.at],
              ['stage', (row) => row.stage],
              ['what', (row) => row.what],
              ['who', (row) => row.who],
              ['seq', (row) => row.event?.seq ?? null],
            ]}
          />
        )
      }
    >
      <form className="filters" role="search" onSubmit={find}>
        <div className="field wide">
          <label htmlFor="jti">jti of the token</label>
          <input
            id="jti"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            spellCheck={false}
            autoComplete="off"
          />
        </div>
        <button className="primary">Trace</button>
      </form>
      {subject === undefined ? (
        <Nothing title="Which token?">
          <p>
            Every token says its id as <code>jti</code>: <code>countersign token inspect</code> reads it, APIs
            have it in their logs, and so has the audit log. Give the id, never the token itself.
          </p>
        </Nothing>
      ) : null}
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {trace === undefined ? null : <Told trace={trace} />}
      {subject === undefined ? null : <CommandLine text={command(['token', 'trace', subject])} />}
    </Screen>
  );
}

function Told({ trace }: { trace: Trace }): ReactNode {
  const { token } = trace;
  return (
    <>
      <dl className="facts">
        <dt>Identity</dt>
        <dd>
          {token.identity === null ? (
            'unknown'
          ) : (
            <Link to={{ screen: 'identities', subject: token.identity }}>{token.identity}</Link>
          )}
          {trace.identity === null
            ? null
            : `, ${trace.identity.state} then, of ${trace.identity.owner.person}`}
        </dd>
        <dt>For</dt>
        <dd>
          {token.resource_server ?? 'unknown'}: {token.scopes.join(' ')}
        </dd>
        <dt>Lived</dt>
        <dd>
          {minute(token.issued_at)} to {token.expires_at === null ? 'unknown' : minute(token.expires_at)}
          {trace.cut_off_at === null ? '' : `, cut off ${exactly(trace.cut_off_at)}`}
        </dd>
        {trace.use === null ? null : (
          <>
            <dt>Use</dt>
            <dd>
              <UseMark of={trace.use.state} />{' '}
              <span className="quiet">of its credential and access while it lived</span>
            </dd>
          </>
        )}
      </dl>
      <ol className="waterfall">
        {trace.rows.map((row, at) => (
          <li key={at} className={`stage-${row.stage}`}>
            <time dateTime={row.at}>{exactly(row.at)}</time>
            <strong>{STAGE[row.stage]}</strong>
            <span>
              {row.what} <span className="quiet">by {row.who}</span>
              {row.event === null ? null : (
                <span className="quiet">, event {row.event.seq} of the audit log</span>
              )}
            </span>
          </li>
        ))}
      </ol>
      {trace.notes.map((note) => (
        <p key={note} className="quiet">
          {note}
        </p>
      ))}
      {trace.complete ? null : <p>More happened than is shown; the audit log has it.</p>}
    </>
  );
}
