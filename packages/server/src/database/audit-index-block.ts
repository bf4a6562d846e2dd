import { INDEXED_MEMBERS, type ScannedEvent } from './audit-index-scan.ts';
import { type LocationPage, encodeLocations } from './audit-index-pages.ts';
import { sortByKey } from './radix-sort.ts';

/**
 * The index is a row of blocks: up to 65,536 events with consecutive numbers each. A block knows where each event lies,
 * and has its postings: for each member of each event the member's key and the event's place in the block. Sorting the
 * postings of a block at once costs a small part of what keeping them in a tree would.
 */

/** Events in a full block: a place takes 16 bits. */
export const BLOCK_SIZE = 65_536;

/** Postings in one row of the database, and events whose locations are in one row. */
export const PAGE_SIZE = 1024;

export interface Location {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** A block's summary; all of them are kept in memory. */
export interface BlockSummary {
  readonly firstSeq: number;
  readonly count: number;
  /** The earliest and the latest instant in it (epoch ms). */
  readonly minAt: number;
  readonly maxAt: number;
}

/** What a search asks of a block, whether it is in the database or still growing in memory. */
export interface Block extends BlockSummary {
  /** Places of the events that have the key, ascending; now and then one more. */
  placesOf(key: number): readonly number[];
  locationOf(place: number): Location;
  instantOf(place: number): number;
}

/** Sorted by key, then place. */
export interface Postings {
  readonly keys: Uint32Array;
  readonly places: Uint16Array;
}

/** The block that grows: its arrays are used again for each next one. */
export class GrowingBlock implements Block {
  readonly #capacity: number;
  readonly #keys: Uint32Array;
  readonly #places: Uint16Array;
  readonly #locations: LocationPage;
  #posted = 0;
  firstSeq = 0;
  count = 0;
  minAt: number = Number.POSITIVE_INFINITY;
  maxAt: number = Number.NEGATIVE_INFINITY;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#keys = new Uint32Array(capacity * INDEXED_MEMBERS.length);
    this.#places = new Uint16Array(capacity * INDEXED_MEMBERS.length);
    this.#locations = {
      segments: new Uint32Array(capacity),
      offsets: new Float64Array(capacity),
      lengths: new Uint32Array(capacity),
      instants: new Float64Array(capacity),
    };
  }

  /** Whether the event with this number goes on where the block ends. Throws when it lies before that. */
  takes(seq: number): boolean {
    if (this.count === 0) return true;
    const next = this.firstSeq + this.count;
    if (seq < next) throw new Error(`audit event ${seq} lies behind event ${next - 1}`);
    return this.count < this.#capacity && seq === next;
  }

  add(event: ScannedEvent, segment: number, offset: number, length: number): void {
    const place = this.count++;
    if (place === 0) this.firstSeq = event.seq;
    const { segments, offsets, lengths, instants } = this.#locations;
    segments[place] = segment;
    offsets[place] = offset;
    lengths[place] = length;
    instants[place] = event.at;
    if (event.at < this.minAt) this.minAt = event.at;
    if (event.at > this.maxAt) this.maxAt = event.at;
    const { keys } = event;
    for (let member = 0; member < keys.length; member++) {
      const key = keys[member] as number;
      if (key === -1) continue;
      this.#keys[this.#posted] = key;
      this.#places[this.#posted++] = place;
    }
  }

  clear(): void {
    this.count = 0;
    this.#posted = 0;
    this.minAt = Number.POSITIVE_INFINITY;
    this.maxAt = Number.NEGATIVE_INFINITY;
  }

  /** A copy in order: places ascend where keys are the same, because they were added ascending. */
  sortedPostings(): Postings {
    return sortByKey(this.#keys.subarray(0, this.#posted), this.#places.subarray(0, this.#posted));
  }

  /** The locations of the events from `place` on, one page of them. */
  locationPage(place: number): Uint8Array {
    const end = Math.min(place + PAGE_SIZE, this.count);
    const { segments, offsets, lengths, instants } = this.#locations;
    return encodeLocations({
      segments: segments.subarray(place, end),
      offsets: offsets.subarray(place, end),
      lengths: lengths.subarray(place, end),
      instants: instants.subarray(place, end),
    });
  }

  placesOf(key: number): readonly number[] {
    const places: number[] = [];
    for (let index = this.#keys.indexOf(key); index !== -1 && index < this.#posted; ) {
      places.push(this.#places[index] as number);
      index = this.#keys.indexOf(key, index + 1);
    }
    return places;
  }

  locationOf(place: number): Location {
    const { segments, offsets, lengths } = this.#locations;
    return {
      segment: segments[place] as number,
      offset: offsets[place] as number,
      length: lengths[place] as number,
    };
  }

  instantOf(place: number): number {
    return this.#locations.instants[place] as number;
  }
}
