/** A piece of a text: whole lines, or a part of a line that is longer than a piece may be. */
export interface Piece {
  readonly text: string;
  /** Of its first character, from 1 on. */
  readonly line: number;
}

const MOST = 65_536;
/** What two pieces have in common: longer than any secret, so that none is cut in two. */
const OVERLAP = 10_000;

/**
 * Cuts a text that arrives in chunks into pieces of a bounded size that overlap. What lies in the overlap is in both; whoever
 * looks for something in them finds it twice.
 */
export async function* piecesOf(chunks: AsyncIterable<string>): AsyncGenerator<Piece> {
  let [held, line] = ['', 1];
  for await (const chunk of chunks) {
    held += chunk;
    while (held.length > MOST) {
      yield { text: held.slice(0, MOST), line };
      const kept = MOST - OVERLAP;
      line += linesIn(held, kept);
      held = held.slice(kept);
    }
  }
  if (held !== '') yield { text: held, line };
}

/** How many lines end before a place in the text. */
export function linesIn(text: string, until: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < until; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
