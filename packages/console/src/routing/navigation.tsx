import {
  type AnchorHTMLAttributes,
  createContext,
  type MouseEvent,
  type ReactNode,
  useContext,
  useSyncExternalStore,
} from 'react';
import { addressOf, type Place, placeOf, type Target } from './place.ts';

/** Where the console stands: `/console`, below the path of the issuer. */
const Base = createContext('/console');

export function BaseProvider({ base, children }: { base: string; children: ReactNode }): ReactNode {
  return <Base value={base}>{children}</Base>;
}

const MOVED = 'countersign:moved';

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(MOVED, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(MOVED, listener);
  };
}

export function usePlace(): Place {
  const base = useContext(Base);
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const mark = href.indexOf('?');
  return mark < 0 ? placeOf(base, href, '') : placeOf(base, href.slice(0, mark), href.slice(mark));
}

/** Goes to an address of the console. `replace`: back does not lead to the one before. */
export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  dispatchEvent(new Event(MOVED));
}

export interface Navigation {
  readonly address: (target: Target) => string;
  readonly to: (target: Target) => void;
  /** Changes filters of the screen that is shown; undefined and empty take one away. */
  readonly filter: (change: Readonly<Record<string, string | undefined>>) => void;
}

export function useNavigation(): Navigation {
  const base = useContext(Base);
  const place = usePlace();
  return {
    address: (target) => addressOf(base, target),
    to: (target) => go(addressOf(base, target)),
    filter: (change) => go(addressOf(base, { ...place, query: { ...place.query, ...change } }), true),
  };
}

type LinkProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & { readonly to: Target };

/** A link inside the console: opens in place, and in a new tab as every link does. */
export function Link({ to, onClick, ...rest }: LinkProps): ReactNode {
  const base = useContext(Base);
  const address = addressOf(base, to);
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain || rest.target !== undefined) return;
    event.preventDefault();
    go(address);
  };
  return <a {...rest} href={address} onClick={follow} />;
}
