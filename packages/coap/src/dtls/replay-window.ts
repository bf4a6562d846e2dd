// Which records have been here: RFC 6347 §4.1.2.6.

const WIDTH = 64;

export interface ReplayWindow {
  /** Whether a record with this number may still be new. */
  mayTake(sequence: number): boolean;
  /** Notes a record whose seal was right; before that nobody may move the window. */
  took(sequence: number): void;
}

export function createReplayWindow(): ReplayWindow {
  let highest = -1;
  /** Bit i: `highest - i` was here. */
  let seen = 0n;
  return {
    mayTake(sequence) {
      if (sequence > highest) return true;
      const back = highest - sequence;
      return back < WIDTH && ((seen >> BigInt(back)) & 1n) === 0n;
    },
    took(sequence) {
      if (sequence > highest) {
        const ahead = sequence - highest;
        seen = ahead >= WIDTH ? 1n : BigInt.asUintN(WIDTH, (seen << BigInt(ahead)) | 1n);
        highest = sequence;
      } else seen |= 1n << BigInt(highest - sequence);
    },
  };
}
