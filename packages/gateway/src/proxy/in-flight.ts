/** What is under way at upstreams, requests and connections that last, and how much of it there may be. */
export interface InFlight {
  /** Counts one more; false when it is one too many. Each is to leave, also that one. */
  enter(): boolean;
  leave(): void;
  count(): number;
}

export function createInFlight(most: number): InFlight {
  let count = 0;
  return {
    enter: () => ++count <= most,
    leave: () => void count--,
    count: () => count,
  };
}
