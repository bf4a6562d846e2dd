// The code blocks of a page.

/** @typedef {{language: string, code: string}} Fence */

/** In order; a block's language is the word behind its opening fence. @param {string} text @returns {Fence[]} */
export function fencesOf(text) {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}
