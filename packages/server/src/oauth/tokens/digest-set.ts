// No RFC: a bounded memory for digests.

const WAYS = 4;
/** Of a digest: 128 bits. */
const WORDS = 4;

export interface DigestSet {
  /** @param digest SHA-256, a character for each byte */
  add(digest: string): void;
  has(digest: string): boolean;
}

/**
 * So many sets of four digests, 64 bytes each. Which digests share a set nobody can choose: the newest stand first in it, and the
 * oldest gives way.
 * @param sets a power of two
 */
export function createDigestSet(sets: number): DigestSet {
  const words = new Uint32Array(sets * WAYS * WORDS);

  function add(digest: string): void {
    const first = firstOf(digest, sets);
    words.copyWithin(first + WORDS, first, first + WORDS * (WAYS - 1));
    for (let word = 0; word < WORDS; word++) words[first + word] = wordOf(digest, word);
  }

  function has(digest: string): boolean {
    const first = firstOf(digest, sets);
    for (let at = first; at < first + WORDS * WAYS; at += WORDS) {
      let word = 0;
      while (word < WORDS && words[at + word] === wordOf(digest, word)) word++;
      if (word === WORDS) return true;
    }
    return false;
  }

  return { add, has };
}

/** Where its set begins: by bits that are not among those compared. */
function firstOf(digest: string, sets: number): number {
  return (wordOf(digest, WORDS) & (sets - 1)) * WAYS * WORDS;
}

function wordOf(digest: string, word: number): number {
  const at = word * 4;
  const high = (digest.charCodeAt(at) << 24) | (digest.charCodeAt(at + 1) << 16);
  return (high | (digest.charCodeAt(at + 2) << 8) | digest.charCodeAt(at + 3)) >>> 0;
}
