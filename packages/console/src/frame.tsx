import { type ReactNode, type RefObject, Suspense, useEffect, useRef } from 'react';
import { useAdmin } from './connection/use-admin.tsx';
import { ThemeSwitch } from './parts/theme.tsx';
import { Nothing } from './parts/problem.tsx';
import { Screen } from './parts/screen.tsx';
import { Link, usePlace } from './routing/navigation.tsx';
import { SCREENS } from './screens.tsx';
import { minute } from './words/time.ts';

/** What is around every screen: where one can go, who one is, and the screen. */
export function Frame({ signOut }: { signOut: () => void }): ReactNode {
  const place = usePlace();
  const { me } = useAdmin();
  const main = useRef<HTMLElement>(null);
  const screen = SCREENS.find(({ name }) => name === place.screen);
  const seen = SCREENS.filter(({ scope }) => scope === undefined || me.scopes.includes(scope));
  const person = me.person;
  return (
    <>
      <a className="skip" href="#main">
        To the content
      </a>
      <header className="bar">
        <Link to={{ screen: 'overview' }} className="brand">
          Countersign
        </Link>
        <details className="me">
          <summary>{person?.handle ?? me.client_id ?? 'You'}</summary>
          <div className="me-card">
            <p>
              <strong>{person?.handle}</strong>
            </p>
            <p>
              You are {person?.roles.join(', ') || 'without a role'}
              {person !== null && person.teams.length > 0 ? `, in ${person.teams.join(', ')}` : ''}.
            </p>
            <p className="quiet">
              Signed in until {person === null ? '' : minute(person.expires_at)} UTC, by {person?.issuer}
            </p>
            <p>
              <button type="button" onClick={signOut}>
                Sign out
              </button>
            </p>
          </div>
        </details>
        <ThemeSwitch />
      </header>
      <div className="frame">
        <nav aria-label="Screens">
          <ul>
            {seen.map(({ name, title }) => (
              <li key={name}>
                <Link to={{ screen: name }} aria-current={name === place.screen ? 'page' : undefined}>
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <main id="main" ref={main} tabIndex={-1}>
          <Suspense fallback={<p className="count">Loading…</p>}>
            {screen === undefined ? (
              <Unknown />
            ) : (
              <screen.Shown key={screen.name} subject={place.subject} query={place.query} />
            )}
            <Arrival at={place.screen + (place.subject ?? '')} main={main} />
          </Suspense>
        </main>
      </div>
    </>
  );
}

/** Who reads with a screen reader hears that another screen is there. Beside the screen, so that it waits for what that waits for. */
function Arrival({ at, main }: { at: string; main: RefObject<HTMLElement | null> }): ReactNode {
  const first = useRef(at);
  useEffect(() => {
    if (first.current === at) return;
    first.current = '';
    window.scrollTo(0, 0);
    main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [at, main]);
  return null;
}

function Unknown(): ReactNode {
  return (
    <Screen title="There is no such page">
      <Nothing title="The address leads to no screen of the console.">
        <p>
          Begin at the <Link to={{ screen: 'overview' }}>overview</Link>.
        </p>
      </Nothing>
    </Screen>
  );
}
