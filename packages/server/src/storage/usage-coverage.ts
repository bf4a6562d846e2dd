/** Epoch ms, `from` ≤ `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export const SPAN_KINDS = ['seen', 'missed'] as const;
/** `seen`: a copy told of it. `missed`: a copy should have, and did not, or not of all. */
export type SpanKind = (typeof SPAN_KINDS)[number];

/** Which resource servers told what they saw, and of which time: without that, no use is not unused. */
export interface CoverageStore {
  /** Adds a span to those of its kind; what is less than `gap` ms apart becomes one. */
  add(resourceServerId: string, kind: SpanKind, span: Span, gap: number): Promise<void>;
  /** Those that touch `within`, ascending. */
  spans(resourceServerId: string, kind: SpanKind, within: Span): Promise<readonly Span[]>;
  /** Forgets spans that ended before; at most 10,000; how many. */
  sweep(before: number): Promise<number>;
}
