import type { Identity } from '@countersign/admin-api';
import { type ReactNode, useState } from 'react';
import { useAnswer, useMay } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Problem } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Stepper } from '../parts/stepper.tsx';
import { Link } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { IDENTITY_KIND, IDENTITY_STATE } from '../words/states.ts';
import { day, fromNow } from '../words/time.ts';
import { IdentityActions } from './identity-actions.tsx';
import { IdentityCredentials } from './identity-credentials.tsx';
import { IdentityHistory } from './identity-history.tsx';
import { IdentityRisk } from './identity-risk.tsx';
import { PathsPanel } from './paths-panel.tsx';

const DAY_MS = 86_400_000;

/** One machine: what it is, how it proves itself, what it may and why, and what it did. */
export function IdentityScreen({ subject = '' }: ScreenProps): ReactNode {
  const asked = useAnswer('identities.get', { params: { id: subject }, query: {} });
  const identity = asked.data;
  const [from] = useState(() => new Date(Date.now() - DAY_MS).toISOString());
  const may = {
    credentials: useMay('credentials:read'),
    access: useMay('access:read'),
    findings: useMay('findings:read'),
    audit: useMay('audit:read'),
  };
  return (
    <Screen
      title={identity?.client_id ?? subject}
      says={identity?.purpose}
      actions={identity === undefined ? undefined : <IdentityActions identity={identity} />}
    >
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {identity === undefined ? null : (
        <>
          <Stepper state={identity.state} />
          <Facts identity={identity} />
          <CommandLine text={command(['identities', 'get', subject])} />
          {may.credentials ? <IdentityCredentials id={identity.client_id} /> : null}
          {may.access ? (
            <section aria-labelledby="reaches">
              <h2 id="reaches">What it reaches, and why</h2>
              <PathsPanel identity={identity.client_id} at={undefined} />
              <CommandLine text={command(['access', 'list'], { identity: identity.client_id }, ['--all'])} />
            </section>
          ) : null}
          {may.findings ? <IdentityRisk id={identity.client_id} /> : null}
          {may.audit ? <IdentityHistory clientId={identity.client_id} from={from} /> : null}
        </>
      )}
    </Screen>
  );
}

function Facts({ identity }: { identity: Identity }): ReactNode {
  const now = Date.now();
  const { owner } = identity;
  const waits = identity.pending ?? null;
  const clock = identity.ownership?.clock ?? null;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <StateMark of={IDENTITY_STATE[identity.state]} />{' '}
        <span className="quiet">
          since {day(identity.state_since)}
          {identity.state_reason === null ? '' : `: ${identity.state_reason}`}
          {identity.security_stop ? '. Stopped for security: it takes two people and a new credential.' : ''}
        </span>
      </dd>
      <dt>Name</dt>
      <dd>{identity.name}</dd>
      <dt>Kind</dt>
      <dd>
        {IDENTITY_KIND[identity.kind]} in {identity.environment}, sensitivity {identity.sensitivity} of 3,
        used {identity.cadence}
      </dd>
      <dt>Owner</dt>
      <dd>
        <Link to={{ screen: 'identities', query: { owner_person: owner.person } }}>{owner.person}</Link>
        {owner.backup === null ? ', no backup' : `, backup ${owner.backup}`}
        {owner.team === null ? '' : `, team ${owner.team}`}
        {clock === null ? '' : `. ${clock.person} has left: somebody has to take it over`}
      </dd>
      <dt>Ends</dt>
      <dd>
        {day(identity.expires_at)} <span className="quiet">{fromNow(identity.expires_at, now)}</span>
      </dd>
      {waits === null ? null : (
        <>
          <dt>Waits</dt>
          <dd>
            <Link to={{ screen: 'approvals', subject: waits.approval, query: { for: 'all' } }}>
              {waits.given} of {waits.needed} approvals
            </Link>
          </dd>
        </>
      )}
    </dl>
  );
}
