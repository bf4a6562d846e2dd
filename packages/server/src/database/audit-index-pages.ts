/** How pages of the audit index are stored: one column behind the other, the wide ones first for their alignment. */

/** Where up to a page of events lie. */
export interface LocationPage {
  readonly segments: Uint32Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly instants: Float64Array;
}

export function encodeLocations(page: LocationPage): Uint8Array {
  const count = page.offsets.length;
  const bytes = new Uint8Array(count * 24);
  new Float64Array(bytes.buffer, 0, count).set(page.offsets);
  new Float64Array(bytes.buffer, count * 8, count).set(page.instants);
  new Uint32Array(bytes.buffer, count * 16, count).set(page.segments);
  new Uint32Array(bytes.buffer, count * 20, count).set(page.lengths);
  return bytes;
}

export function decodeLocations(stored: Uint8Array): LocationPage {
  const { buffer } = new Uint8Array(stored);
  const count = stored.length / 24;
  return {
    offsets: new Float64Array(buffer, 0, count),
    instants: new Float64Array(buffer, count * 8, count),
    segments: new Uint32Array(buffer, count * 16, count),
    lengths: new Uint32Array(buffer, count * 20, count),
  };
}

export interface PostingPage {
  readonly keys: Uint32Array;
  readonly places: Uint16Array;
}

export function encodePostings({ keys, places }: PostingPage): Uint8Array {
  const bytes = new Uint8Array(keys.length * 6);
  new Uint32Array(bytes.buffer, 0, keys.length).set(keys);
  new Uint16Array(bytes.buffer, keys.length * 4, keys.length).set(places);
  return bytes;
}

/** Adds the places that have the key to `into`, in the order in which the page has them. */
export function collectPlaces(stored: Uint8Array, key: number, into: number[]): void {
  const { buffer } = new Uint8Array(stored);
  const count = stored.length / 6;
  const keys = new Uint32Array(buffer, 0, count);
  const places = new Uint16Array(buffer, count * 4, count);
  for (let index = lowerBound(keys, key); index < count && keys[index] === key; index++) {
    into.push(places[index] as number);
  }
}

/** The first index whose value is not below `wanted`. */
function lowerBound(sorted: Uint32Array, wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
