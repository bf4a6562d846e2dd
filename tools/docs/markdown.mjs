// What the makers of reference pages write with.

export const MADE =
  '<!-- Made from the code by: node tools/write-reference.mjs. Change the table, not this page. -->';

/** @param {string} text */
export function code(text) {
  return `\`${text}\``;
}

/** @param {string[]} cells */
export function row(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
