const MOST = 3;

/**
 * Those of `known` that `word` may be a slip of: written otherwise (`tokenLifetime` for `token-lifetime`), or a few
 * letters off. Best first, at most three.
 */
export function nearNames(word: string, known: Iterable<string>): readonly string[] {
  const wished = plain(word);
  const reach = wished.length < 4 ? 1 : wished.length < 12 ? 2 : 3;
  return [...new Set(known)]
    .map((name) => ({ name, off: distance(wished, plain(name)) }))
    .filter(({ off }) => off <= reach)
    .sort((left, right) => left.off - right.off)
    .slice(0, MOST)
    .map(({ name }) => name);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Letters to add, take away or change (Levenshtein). */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let index = 0; index < left.length; index++) {
    const next = [index + 1];
    for (let at = 1; at <= right.length; at++) {
      const changed = (row[at - 1] as number) + (left[index] === right[at - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[at] as number) + 1, (next[at - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}
