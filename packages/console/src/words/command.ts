/** The command that gives what a screen shows, as it is typed into a shell. */
export function command(
  words: readonly string[],
  options: Readonly<Record<string, string | undefined>> = {},
  last: readonly string[] = [],
): string {
  const flags = Object.entries(options).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`--${name.replaceAll('_', '-')}`, quoted(value)],
  );
  return ['countersign', ...words.map(quoted), ...flags, ...last].join(' ');
}

/** One word of a shell: quoted where a shell would see more in it than text. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
