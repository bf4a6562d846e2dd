/** Whether one of these patterns is for this kind of event: `*`, `credential.*` or `credential.expired`. */
export function matchesEvent(patterns: readonly string[], type: string): boolean {
  const noun = `${type.split('.', 1)[0]}.*`;
  return patterns.some((pattern) => pattern === '*' || pattern === type || pattern === noun);
}
