import { handleKey } from '../../registry/directory/handle.ts';
import { oneLine } from '../../registry/notice/one-line.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { FindingRecord } from '../../storage/findings.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Stores } from '../../storage/storage.ts';
import { footOf } from './mail-text.ts';

export type DigestStores = Pick<
  Stores,
  | 'identities'
  | 'credentials'
  | 'access'
  | 'resourceServers'
  | 'findings'
  | 'ownershipOffers'
  | 'reviews'
  | 'reviewItems'
>;

const DAY_MS = 86_400_000;
/** What ends within this time is told of. */
const SOON_MS = 30 * DAY_MS;
/** Of each section; of more it says how many. */
const MOST_LINES = 50;
const LONGEST_LINE = 300;
/** Of one campaign; of more those for whom most waits. */
const MOST_REVIEWERS = 1000;
const SEVERITY = { high: 0, medium: 1, low: 2 } as const;

/** What is somebody's and needs them. */
export interface Digest {
  readonly ending: readonly { readonly at: number; readonly what: string }[];
  readonly findings: readonly {
    readonly severity: FindingRecord['severity'];
    readonly what: string;
    readonly fix: string;
  }[];
  readonly offers: readonly { readonly at: number; readonly what: string }[];
  readonly reviews: readonly { readonly at: number; readonly what: string }[];
}

/** By handle, in ASCII lower case: reviews that wait for them. The same for all owners. */
export type Reviewing = ReadonlyMap<string, Digest['reviews']>;

/** Who is looked at begins nothing anew: states in which an identity asks something of its owner. */
const LOOKED_AT: ReadonlySet<IdentityRecord['state']> = new Set([
  'draft',
  'approved',
  'active',
  'suspended',
  'decommissioning',
]);

/** Reads what one owner is told of, by their handle. `turn` lets others have theirs, after each identity. */
export async function readDigest(
  stores: DigestStores,
  owner: string,
  reviewing: Reviewing,
  now: number,
  turn: () => Promise<void>,
): Promise<Digest> {
  const ending: { at: number; what: string }[] = [];
  const findings: { severity: FindingRecord['severity']; what: string; fix: string }[] = [];
  const soon = (at: number): boolean => at > now && at <= now + SOON_MS;
  let after: Position | undefined;
  do {
    const page = await stores.identities.list({ ownerPerson: owner }, { limit: 200, after });
    for (const identity of page.items) {
      if (!LOOKED_AT.has(identity.state) || identity.builtIn) continue;
      if (soon(identity.expiresAt)) ending.push({ at: identity.expiresAt, what: identity.clientId });
      ending.push(...(await endingOf(stores, identity, soon)));
      for (const { state, severity, reason, fix } of await stores.findings.liveOfIdentity(identity.id)) {
        if (state === 'open') findings.push({ severity, what: `${identity.clientId}: ${reason}`, fix });
      }
      await turn();
    }
    after = page.next;
  } while (after !== undefined);
  const offers = await stores.ownershipOffers.list(
    { candidate: owner, state: 'open' },
    { limit: MOST_LINES + 1 },
  );
  return {
    ending: ending.toSorted((one, other) => one.at - other.at),
    findings: findings.toSorted((one, other) => SEVERITY[one.severity] - SEVERITY[other.severity]),
    reviews: reviewing.get(handleKey(owner)) ?? [],
    offers: await Promise.all(
      offers.items
        .filter(({ candidate }) => handleKey(candidate) === handleKey(owner))
        .map(async ({ id, identityId, from, dueAt }) => {
          const identity = await stores.identities.byId(identityId);
          const what = `${identity?.clientId ?? identityId}, offered by ${from}: countersign ownership-offers accept ${id}`;
          return { at: dueAt, what };
        }),
    ),
  };
}

/** Whom open campaigns wait for, by name. Whoever is asked as one of a team or role is told by the campaign's reminders. */
export async function readReviewing(stores: Pick<Stores, 'reviews' | 'reviewItems'>): Promise<Reviewing> {
  const found = new Map<string, { at: number; what: string }[]>();
  for (const [state, by] of [
    ['open', 'reviewer'],
    ['overdue', 'fallback'],
  ] as const) {
    const { items: reviews } = await stores.reviews.list({ state }, { limit: 1000 });
    for (const { id, name, dueAt } of reviews) {
      for (const { reviewer, items } of await stores.reviewItems.waiting(id, by, MOST_REVIEWERS)) {
        if (!reviewer.startsWith('person:')) continue;
        const handle = handleKey(reviewer.slice('person:'.length));
        const what = `${name}: ${items} ${items === 1 ? 'access' : 'accesses'}`;
        found.set(handle, [...(found.get(handle) ?? []), { at: dueAt, what }]);
      }
    }
  }
  return found;
}

async function endingOf(
  stores: DigestStores,
  identity: IdentityRecord,
  soon: (at: number) => boolean,
): Promise<readonly { readonly at: number; readonly what: string }[]> {
  const found: { at: number; what: string }[] = [];
  for (const { state, expiresAt, label } of await stores.credentials.ofIdentity(identity.id)) {
    if (state !== 'active' || !soon(expiresAt)) continue;
    found.push({ at: expiresAt, what: `${identity.clientId}: the credential ${label}` });
  }
  for (const { expiresAt, resourceServerId } of await stores.access.activeOfIdentity(identity.id)) {
    if (!soon(expiresAt)) continue;
    const api = await stores.resourceServers.byId(resourceServerId);
    found.push({
      at: expiresAt,
      what: `${identity.clientId}: its access to ${api?.identifier ?? resourceServerId}`,
    });
  }
  return found;
}

/** Undefined: there is nothing that needs them. */
export function digestMail(
  { ending, findings, offers, reviews }: Digest,
  issuer: string,
): { readonly subject: string; readonly body: string } | undefined {
  const count = ending.length + findings.length + offers.length + reviews.length;
  if (count === 0) return undefined;
  const sections = [
    section(
      'Offered to you; without an answer it goes on to others',
      offers.map(({ at, what }) => `${day(at)}  ${what}`),
    ),
    section(
      'For you to review; silence suspends',
      reviews.map(({ at, what }) => `${day(at)}  ${what}`),
    ),
    section(
      'Ends within 30 days',
      ending.map(({ at, what }) => `${day(at)}  ${what}`),
    ),
    section(
      'Found, the most severe first',
      findings.map(({ severity, what, fix }) => `${severity}  ${what}. Fix: ${fix}`),
    ),
  ].filter((text) => text !== '');
  return {
    subject: `${count} ${count === 1 ? 'thing about your machines needs' : 'things about your machines need'} you`,
    body: `${sections.join('\n')}\n${footOf(issuer)}`,
  };
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, MOST_LINES).map((line) => `- ${oneLine(line, LONGEST_LINE)}`);
  const more = lines.length > MOST_LINES ? [`- and ${lines.length - MOST_LINES} more`] : [];
  return `${title}:\n${[...shown, ...more].join('\n')}\n`;
}

function day(at: number): string {
  return rfc3339(at).slice(0, 10);
}
