import type { AdminClient, CallInput, ListId, Me, OperationId, ResponseOf } from '@countersign/admin-api';
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Answers } from './answers.ts';

export interface Admin {
  readonly client: AdminClient;
  readonly answers: Answers;
  readonly me: Me;
}

const Context = createContext<Admin | undefined>(undefined);

export function AdminProvider({ admin, children }: { admin: Admin; children: ReactNode }): ReactNode {
  return <Context value={admin}>{children}</Context>;
}

export function useAdmin(): Admin {
  const admin = useContext(Context);
  if (admin === undefined) throw new Error('used before anybody is signed in');
  return admin;
}

export interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly asking: boolean;
  readonly again: () => void;
}

interface AskOptions {
  /** Asks anew after so many milliseconds, while the screen is there and the tab is looked at. */
  readonly every?: number | undefined;
  /** false: not asked. */
  readonly when?: boolean | undefined;
}

/** Call and answer of one operation; asked again after every change that is made here. */
export function useAnswer<Id extends OperationId>(
  id: Id,
  input: CallInput<Id>,
  options: AskOptions = {},
): Asked<ResponseOf<Id>> {
  const { client } = useAdmin();
  const question = async (): Promise<ResponseOf<Id>> => {
    const call = client.call as (id: Id, input: CallInput<Id>) => Promise<{ body: ResponseOf<Id> }>;
    return (await call(id, input)).body;
  };
  return useQuestion(`${id} ${JSON.stringify(input)}`, question, options);
}

/** The same for what is put together from several calls. */
export function useQuestion<T>(
  key: string,
  question: () => Promise<T>,
  { every, when = true }: AskOptions = {},
): Asked<T> {
  const { answers } = useAdmin();
  const latest = useRef(question);
  useEffect(() => {
    latest.current = question;
  });
  const answered = useSyncExternalStore(
    (listener) => answers.subscribe(key, listener),
    () => answers.read(key),
  );
  const version = useSyncExternalStore(answers.subscribeVersion, answers.version);
  useEffect(() => {
    if (when) answers.ask(key, () => latest.current());
  }, [answers, key, version, when]);
  useEffect(() => {
    if (every === undefined || !when) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) answers.ask(key, () => latest.current(), true);
    }, every);
    return () => clearInterval(timer);
  }, [answers, key, every, when]);
  return {
    data: answered.data as T | undefined,
    error: answered.error,
    asking: answered.asking,
    again: () => answers.ask(key, () => latest.current(), true),
  };
}

export interface Listed<T> {
  readonly rows: readonly T[];
  /** Nothing more follows. */
  readonly whole: boolean;
  readonly asking: boolean;
  readonly error: unknown;
  readonly more: () => void;
}

export type ItemOf<Id extends ListId> = ResponseOf<Id> extends { items: (infer Item)[] } ? Item : never;

/** Items of a page: the most that the API gives at once. */
export const PAGE = 200;

interface Pages<T> {
  readonly key: string;
  readonly rows: readonly T[];
  readonly next: string | null | undefined;
  readonly asking: boolean;
  readonly error: unknown;
}

/** A list, page after page: the first at once, others when they are asked for. It begins anew when the input changes, or what it is of. */
export function useList<Id extends ListId>(id: Id, input: CallInput<Id>, when = true): Listed<ItemOf<Id>> {
  const { client, answers } = useAdmin();
  const version = useSyncExternalStore(answers.subscribeVersion, answers.version);
  const key = `${id} ${JSON.stringify(input)} ${version}`;
  const empty: Pages<ItemOf<Id>> = { key, rows: [], next: undefined, asking: when, error: undefined };
  const [pages, setPages] = useState(empty);
  const current = pages.key === key ? pages : empty;
  const busy = useRef<string>(undefined);

  const ask = (from: Pages<ItemOf<Id>>): void => {
    const at = `${key} ${from.next ?? ''}`;
    if (from.next === null || busy.current === at) return;
    busy.current = at;
    setPages({ ...from, asking: true, error: undefined });
    const { query, ...rest } = input as { query?: object };
    const cursor = from.next === undefined ? {} : { cursor: from.next };
    const call = client.call as (
      id: Id,
      input: object,
    ) => Promise<{ body: { items: ItemOf<Id>[]; next_cursor: string | null } }>;
    call(id, { ...rest, query: { limit: PAGE, ...query, ...cursor } }).then(
      ({ body }) => {
        if (busy.current !== at) return;
        busy.current = undefined;
        setPages({
          key,
          rows: [...from.rows, ...body.items],
          next: body.next_cursor,
          asking: false,
          error: undefined,
        });
      },
      (error: unknown) => {
        if (busy.current !== at) return;
        busy.current = undefined;
        setPages({ ...from, asking: false, error });
      },
    );
  };
  useEffect(() => {
    if (when) ask({ ...empty });
  }, [key, when]);
  return {
    rows: current.rows,
    whole: current.next === null,
    asking: current.asking,
    error: current.error,
    more: () => {
      if (!current.asking && current.next !== undefined) ask(current);
    },
  };
}

/** Every item of a list, for a file. */
export async function everyItem<Id extends ListId>(
  client: AdminClient,
  id: Id,
  input: CallInput<Id>,
): Promise<readonly ItemOf<Id>[]> {
  const { query, ...rest } = input as { query?: object };
  const each = client.each as (id: Id, input: object) => AsyncIterable<ItemOf<Id>>;
  const items: ItemOf<Id>[] = [];
  for await (const item of each(id, { ...rest, query: { ...query, limit: PAGE } })) items.push(item);
  return items;
}
