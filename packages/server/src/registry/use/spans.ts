import type { Span } from '../../storage/usage-coverage.ts';

/** What of `spans` lies in none of `others`; ascending, apart from one another. */
export function without(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  let left: readonly Span[] = inOrder(spans);
  for (const other of others) left = left.flatMap((span) => outside(span, other));
  return left;
}

function outside(span: Span, { from, to }: Span): readonly Span[] {
  if (to <= span.from || from >= span.to) return [span];
  return [
    { from: span.from, to: Math.max(span.from, from) },
    { from: Math.min(span.to, to), to: span.to },
  ].filter((each) => each.to > each.from);
}

/** How much of `within` they cover, ms; they are apart from one another. */
export function lengthWithin(spans: readonly Span[], within: Span): number {
  return spans.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, within.to) - Math.max(from, within.from)),
    0,
  );
}

/** Ascending, with those joined that touch. */
function inOrder(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || span.from > last.to) joined.push(span);
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return joined;
}
