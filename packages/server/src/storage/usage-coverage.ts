/** Epoch ms, `from` ≤ `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export const SPAN_KINDS = ['seen', 'missed'] as const;
/** `seen`: a copy told of it. `missed`: a copy should have, and did not, or not of all. */
export type SpanKind = (typeof SPAN_KINDS)[number];

/** A span with whose it is. */
export interface CoverageSpan extends Span {
  readonly resourceServerId: string;
  readonly kind: SpanKind;
}

/** Which resource servers told what they saw, and of which time: without that, no use is not unused. */
export interface CoverageStore {
  /** Adds a span to those of its kind; what is less than `gap` ms apart becomes one. */
  add(resourceServerId: string, kind: SpanKind, span: Span, gap: number): Promise<void>;
  /** Those of these resource servers that touch `within`, each one's ascending by kind. */
  spans(resourceServerIds: readonly string[], within: Span): Promise<readonly CoverageSpan[]>;
  /** Forgets spans that ended before; at most 10,000; how many. */
  sweep(before: number): Promise<number>;
}
