import type { Me } from '@countersign/admin-api';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { adminAs } from './connection/admin.ts';
import { createAnswers } from './connection/answers.ts';
import { type Admin, AdminProvider } from './connection/use-admin.tsx';
import { Frame } from './frame.tsx';
import { Problem } from './parts/problem.tsx';
import { go } from './routing/navigation.tsx';
import type { Session, SessionHolder } from './session/session.ts';
import { SignInScreen } from './session/sign-in-screen.tsx';
import { beginSignIn, finishSignIn, takeAnswer } from './session/sign-in.ts';

interface ConsoleProps {
  readonly authority: string;
  readonly base: string;
  readonly holder: SessionHolder;
}

/** Set while somebody is signed in in this tab: a reload then goes to the provider by itself, once. No secret. */
const SIGNED_IN = 'countersign.signed-in';

/** Somebody signs in, or is signed in already; then the screens. */
export function Console({ authority, base, holder }: ConsoleProps): ReactNode {
  const session = useSyncExternalStore(holder.subscribe, holder.current);
  const [state, setState] = useState<{ readonly looking: boolean; readonly error?: unknown }>({
    looking: true,
  });
  useEffect(() => {
    void findSession({ authority, base, holder }).then(
      (looking) => setState({ looking }),
      (error: unknown) => setState({ looking: false, error }),
    );
  }, [authority, base, holder]);
  useEffect(() => {
    if (session !== undefined) sessionStorage.setItem(SIGNED_IN, '1');
  }, [session]);
  if (session !== undefined) return <SignedIn key={session.token} session={session} holder={holder} />;
  if (state.looking) return <p className="starting">Starting…</p>;
  return <SignInScreen authority={authority} error={state.error} />;
}

/** Answers whether the page is about to leave for the provider. */
async function findSession({ authority, base, holder }: ConsoleProps): Promise<boolean> {
  if (location.pathname === `${base}/callback`) {
    const answer = takeAnswer(authority);
    const { session, back } = await finishSignIn(authority, answer);
    go(back.startsWith(`${base}/`) || back === base ? back : base, true);
    holder.begin(session);
    return false;
  }
  if ((await holder.askOthers()) !== undefined) return false;
  if (sessionStorage.getItem(SIGNED_IN) === null) return false;
  sessionStorage.removeItem(SIGNED_IN);
  await beginSignIn(authority, location.pathname + location.search);
  return true;
}

function SignedIn({ session, holder }: { session: Session; holder: SessionHolder }): ReactNode {
  const [admin, setAdmin] = useState<Admin>();
  const [error, setError] = useState<unknown>();
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    const client = adminAs(session, () => setEnded(true));
    client
      .call('me.get')
      .then(({ body: me }: { body: Me }) => setAdmin({ client, me, answers: createAnswers() }), setError);
    const timer = setTimeout(() => setEnded(true), Math.max(0, session.expiresAt - Date.now()));
    return () => clearTimeout(timer);
  }, [session]);
  const signOut = async (): Promise<void> => {
    await admin?.client.call('me.sign-out', { body: {} }).catch(() => undefined);
    sessionStorage.removeItem(SIGNED_IN);
    holder.end();
  };
  if (ended) return <SignInScreen authority={session.authority} ended />;
  if (error !== undefined) return <Problem error={error} />;
  if (admin === undefined) return <p className="starting">Starting…</p>;
  return (
    <AdminProvider admin={admin}>
      <Frame signOut={() => void signOut()} />
    </AdminProvider>
  );
}
