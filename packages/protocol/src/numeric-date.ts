// NumericDate: RFC 7519 §2, narrowed to whole seconds.

/** 9999-12-31T23:59:59Z. */
const LAST = 253_402_300_799;

/** True for whole seconds since the epoch, not negative, not beyond the year 9999. */
export function isNumericDate(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LAST;
}
