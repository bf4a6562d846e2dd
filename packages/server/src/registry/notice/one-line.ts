/** Ends and beginnings of lines, other control characters, and what turns the direction of text around. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]+/gu;

/** Text as one line of at most so many characters: whatever it held, no mail gets a header or a line more by it. */
export function oneLine(text: string, most: number): string {
  const line = text.replace(NOT_IN_A_LINE, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}
