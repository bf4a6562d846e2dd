import type { AuditFilter, AuditPageRequest, LoggedEvent } from '../audit/event.ts';
import type { Block, Location } from './audit-index-block.ts';
import { type IndexedMember, keyOfMember } from './audit-index-scan.ts';

/** Blocks in the order of their numbers, and how to read an event. */
export interface Searched {
  readonly blocks: readonly Block[];
  text(location: Location): string | undefined;
}

type Wanted = readonly (readonly [IndexedMember, string])[];

function wantedOf(filter: AuditFilter): Wanted {
  const members: readonly (readonly [IndexedMember, string | undefined])[] = [
    ['jti', filter.jti],
    ['parent', filter.parent],
    ['request_id', filter.requestId],
    ['identity', filter.identity],
    ['resource', filter.resource],
    ['type', filter.type],
    ['outcome', filter.outcome],
  ];
  return members.flatMap(([member, value]) => (value === undefined ? [] : [[member, value] as const]));
}

/** Canonical texts of the events that the filter asks for, ascending by number. */
export function searchEvents(searched: Searched, filter: AuditFilter, page: AuditPageRequest): string[] {
  const wanted = wantedOf(filter);
  const from = filter.from ?? Number.NEGATIVE_INFINITY;
  const to = filter.to ?? Number.POSITIVE_INFINITY;
  const found: string[] = [];
  for (const block of searched.blocks) {
    if (block.firstSeq + block.count - 1 <= page.afterSeq) continue;
    if (block.count === 0 || block.maxAt < from || block.minAt >= to) continue;
    for (const place of candidates(block, wanted)) {
      if (block.firstSeq + place <= page.afterSeq) continue;
      const at = block.instantOf(place);
      if (at < from || at >= to) continue;
      const text = searched.text(block.locationOf(place));
      if (text !== undefined && holds(text, wanted)) found.push(text);
      if (found.length >= page.limit) return found;
    }
  }
  return found;
}

/** Which of the event ids are in the log. The newest blocks are asked first: it is fresh events that are asked for. */
export function searchKnown(searched: Searched, eventIds: readonly string[]): Set<string> {
  const known = new Set<string>();
  for (const id of eventIds) {
    const wanted: Wanted = [['id', id]];
    const found = searched.blocks.findLast((block) =>
      candidates(block, wanted).some((place) => {
        const text = searched.text(block.locationOf(place));
        return text !== undefined && holds(text, wanted);
      }),
    );
    if (found !== undefined) known.add(id);
  }
  return known;
}

/** Places whose events may have all that is wanted, ascending. */
function candidates(block: Block, wanted: Wanted): readonly number[] {
  const [first, ...others] = wanted;
  if (first === undefined) return Array.from({ length: block.count }, (_, place) => place);
  let places = block.placesOf(keyOfMember(...first));
  for (const [member, value] of others) {
    if (places.length === 0) break;
    const also = new Set(block.placesOf(keyOfMember(member, value)));
    places = places.filter((place) => also.has(place));
  }
  return places;
}

function holds(text: string, wanted: Wanted): boolean {
  const event = JSON.parse(text) as LoggedEvent;
  return wanted.every(([member, value]) => event[member] === value);
}
