import type { AccessLink } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { useAnswer } from '../connection/use-admin.tsx';
import { CommandLine } from '../parts/copy.tsx';
import { Problem } from '../parts/problem.tsx';
import { command } from '../words/command.ts';
import { minute } from '../words/time.ts';

const LINK: Readonly<Record<AccessLink, string>> = {
  identity: 'Identity',
  credential: 'Credential',
  access: 'Access',
  scope: 'Scope',
  approvals: 'Approvals',
  conditions: 'Conditions',
  policy: 'Policy',
};

interface WhyProps {
  readonly identity: string;
  readonly resource: string;
  readonly scope: string;
  readonly at: string | undefined;
}

/** Why something is allowed, or not: link by link, each with the record that decides it. */
export function Why({ identity, resource, scope, at }: WhyProps): ReactNode {
  const query = { identity, resource_server: resource, scope, ...(at === undefined ? {} : { at }) };
  const asked = useAnswer('access.explain', { query });
  const told = asked.data;
  return (
    <section className="why" aria-label={`Why ${identity} has ${scope}`}>
      {asked.error === undefined ? null : <Problem error={asked.error} again={asked.again} />}
      {told === undefined ? null : (
        <>
          <h3>
            {told.allowed ? 'Allowed' : 'Not allowed'}: {identity} may {told.allowed ? '' : 'not '}use {scope}{' '}
            at {resource}
          </h3>
          <ol className="chain">
            {told.links.map((link) => (
              <li key={`${link.link} ${link.id ?? ''}`} className={link.ok ? 'holds' : 'breaks'}>
                <strong>
                  <span aria-hidden="true">{link.ok ? '✓' : '✕'}</span> {LINK[link.link]}{' '}
                  {link.ok ? 'holds' : 'does not hold'}
                </strong>
                <span>{link.detail}</span>
              </li>
            ))}
          </ol>
          {told.approvals.map((approval) => (
            <p key={`${approval.person} ${approval.at}`}>
              {approval.decision === 'approve' ? 'Approved' : 'Rejected'} by {approval.person},{' '}
              {minute(approval.at)}
              {approval.comment === null ? '' : `: ${approval.comment}`}
            </p>
          ))}
        </>
      )}
      <CommandLine text={command(['access', 'explain'], query)} />
    </section>
  );
}
