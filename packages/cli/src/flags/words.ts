/** Lists on the command line: repeated flags, and commas or spaces within one. */
export function splitWords(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(/[\s,]+/)).filter((word) => word !== '');
}
