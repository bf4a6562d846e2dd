import type { Identity } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { StateMark } from '../parts/marks.tsx';
import { Problem } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { Link } from '../routing/navigation.tsx';
import type { ScreenProps } from '../screen-props.ts';
import { command } from '../words/command.ts';
import { IDENTITY_KIND, IDENTITY_STATE } from '../words/states.ts';
import { day, fromNow } from '../words/time.ts';

/** One machine: what it is, what it may, and why. */
export function IdentityScreen({ subject = '' }: ScreenProps): ReactNode {
  const asked = useAnswer('identities.get', { params: { id: subject }, query: {} });
  const identity = asked.data;
  return (
    <Screen title={identity?.client_id ?? subject} says={identity?.purpose}>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {identity === undefined ? null : <Facts identity={identity} />}
      <CommandLine text={command(['identities', 'get', subject])} />
    </Screen>
  );
}

function Facts({ identity }: { identity: Identity }): ReactNode {
  const now = Date.now();
  const { owner } = identity;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <StateMark of={IDENTITY_STATE[identity.state]} />{' '}
        <span className="quiet">
          since {day(identity.state_since)}
          {identity.state_reason === null ? '' : `: ${identity.state_reason}`}
        </span>
      </dd>
      <dt>Name</dt>
      <dd>{identity.name}</dd>
      <dt>Kind</dt>
      <dd>
        {IDENTITY_KIND[identity.kind]} in {identity.environment}, sensitivity {identity.sensitivity}
      </dd>
      <dt>Owner</dt>
      <dd>
        <Link to={{ screen: 'identities', query: { owner_person: owner.person } }}>{owner.person}</Link>
        {owner.backup === null ? ', no backup' : `, backup ${owner.backup}`}
        {owner.team === null ? '' : `, team ${owner.team}`}
      </dd>
      <dt>Ends</dt>
      <dd>
        {day(identity.expires_at)} <span className="quiet">{fromNow(identity.expires_at, now)}</span>
      </dd>
    </dl>
  );
}
