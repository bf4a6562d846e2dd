import { type ReactNode, useState } from 'react';
import { Problem } from '../parts/problem.tsx';
import { ThemeSwitch } from '../parts/theme.tsx';
import { SignInFailure } from './failure.ts';
import { beginSignIn } from './sign-in.ts';

interface SignInProps {
  readonly authority: string;
  readonly error?: unknown;
  /** The session was there and is over. */
  readonly ended?: boolean;
}

/** Where somebody is who is not signed in. After signing in they are back at the address they came with. */
export function SignInScreen({ authority, error: given, ended = false }: SignInProps): ReactNode {
  const [error, setError] = useState(given);
  const [leaving, setLeaving] = useState(false);
  const secure = globalThis.isSecureContext;
  const elsewhere = location.origin !== new URL(authority).origin;
  const begin = (): void => {
    setLeaving(true);
    beginSignIn(authority, location.pathname + location.search).catch((cause: unknown) => {
      setLeaving(false);
      setError(cause);
    });
  };
  return (
    <main className="sign-in">
      <title>Sign in · Countersign</title>
      <h1>Countersign</h1>
      <p>
        The authority for machines: who they are, what they may reach, and what needs you. It is{' '}
        <code>{authority}</code>.
      </p>
      {ended ? <p role="status">Your session has ended. Sign in again; you come back to this page.</p> : null}
      {error === undefined ? null : <Failure error={error} />}
      {elsewhere ? (
        <p role="alert">
          This page is at another address than its authority. Go to{' '}
          <a href={`${authority}/console`}>{authority}/console</a>.
        </p>
      ) : secure ? (
        <p>
          <button type="button" className="primary" onClick={begin} disabled={leaving}>
            {leaving ? 'Going to your provider…' : 'Sign in'}
          </button>
        </p>
      ) : (
        <p role="alert">
          This address is not secure, so that a browser offers no keys here. Use https, or localhost.
        </p>
      )}
      <p className="quiet">
        You sign in at your organisation’s provider. The session is kept in the memory of this page and
        nowhere else: closing it forgets it.
      </p>
      <ThemeSwitch />
    </main>
  );
}

function Failure({ error }: { error: unknown }): ReactNode {
  if (!(error instanceof SignInFailure)) return <Problem error={error} />;
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{error.message}</strong>
      </p>
      <p>{error.fix}</p>
      {error.requestId === undefined ? null : (
        <p>
          <code>countersign explain {error.requestId}</code>
        </p>
      )}
    </div>
  );
}
