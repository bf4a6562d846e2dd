import type { Role } from '@countersign/admin-api';
import type { Page, PageRequest, Position } from '../src/storage/page.ts';
import type { Answer, Authority } from './authority.ts';
import type { Chance } from './estate-chance.ts';

export const DAY = 86_400_000;
/** Access to scopes from here on, and identities in prod from here on, wait for two people. */
export const SENSITIVE = 2;
export const SCOPES = ['read', 'list', 'write', 'administer'] as const;
export const APIS = [
  'https://orders.example',
  'https://fraud.example',
  'https://ledger.example',
  'https://mail.example',
] as const;
/** People who decide; they never leave. */
export const CHIEFS = ['chief-1', 'chief-2', 'chief-3'] as const;

/** What everybody of a simulated estate shares. */
export interface World {
  readonly authority: Authority;
  readonly chance: Chance;
  /** Status codes of what was asked of the admin API, by operation. */
  readonly answers: Map<string, number>;
  /** RFC 3339, so many days from now. */
  day(days: number): string;
  /** As the first admin, or as a person with a role. */
  ask(method: string, target: string, body?: object, who?: readonly [string, Role]): Promise<Answer>;
  /** Tokens of yesterday are none. */
  morning(): void;
}

export function worldOf(authority: Authority, chance: Chance): World {
  const { clock } = authority;
  const answers = new Map<string, number>();
  const tokens = new Map<string, string>();
  return {
    authority,
    chance,
    answers,
    day: (days) => new Date(clock.now() + days * DAY).toISOString(),
    async ask(method, target, body, who) {
      const key = who?.join() ?? '';
      let token = tokens.get(key);
      token ??=
        who === undefined ? await authority.tokenFor('admin') : await authority.personToken(who[0], [who[1]]);
      tokens.set(key, token);
      const headers: Record<string, string> = method === 'POST' ? {} : { 'If-Match': '*' };
      const answer = await authority.call(method, target, { token, headers, ...(body && { body }) });
      const word = `${method} ${target.replace(/^(\/v1\/[^/]+)(?:\/[^/]+)?/, '$1')} ${answer.status}`;
      answers.set(word, (answers.get(word) ?? 0) + 1);
      return answer;
    },
    morning: () => tokens.clear(),
  };
}

export async function everything<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: Position | undefined;
  do {
    const page = await list({ limit: 500, ...(after && { after }) });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}
