/** What an address of the console says: which screen, about what, and with which filters. */
export interface Place {
  readonly screen: string;
  /** Id, client_id or jti of what the screen is about. */
  readonly subject: string | undefined;
  readonly query: Query;
}

export type Query = Readonly<Record<string, string>>;

export const HOME = 'overview';

/** Reads an address below `base` (`/console`). An unknown screen is for the screens to tell. */
export function placeOf(base: string, pathname: string, search: string): Place {
  const rest = pathname.startsWith(base) ? pathname.slice(base.length) : '';
  const [screen = '', subject] = rest
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  return {
    screen: screen === '' ? HOME : screen,
    subject,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

export interface Target {
  readonly screen: string;
  readonly subject?: string | undefined;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

/** The address of a place; what is undefined or empty in the query is left out. */
export function addressOf(base: string, { screen, subject, query = {} }: Target): string {
  const path = [
    base,
    ...(screen === HOME && subject === undefined ? [] : [screen]),
    ...(subject === undefined ? [] : [subject]),
  ]
    .map((part, at) => (at === 0 ? part : encodeURIComponent(part)))
    .join('/');
  const given = Object.entries(query).filter((each): each is [string, string] => (each[1] ?? '') !== '');
  const search = new URLSearchParams(given).toString();
  return search === '' ? path : `${path}?${search}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
