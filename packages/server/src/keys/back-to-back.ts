/** In one go; the rest waits for the next turn, so that answers that are ready leave in between. With so many nobody waits for more. */
const MOST_AT_ONCE = 64;
/** Turns that the first one waits at most while each of them brings more. */
const MOST_TURNS = 4;

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes or verifies signatures back to back: OpenSSL's code and V8's request code evict each other from the processor's
 * caches, and one signature between other work costs up to twice as much as one among its kind. What is asked for is
 * performed at the end of the first turn of the event loop that brings no more, in the order asked, and four turns later at the
 * latest; who comes alone after somebody who came alone waits for no second turn: docs/decisions/0062-batches-gather-while-they-grow.md.
 * @param perform synchronous; what it throws, its own caller gets
 */
export function backToBack<Job, Result>(perform: (job: Job) => Result): (job: Job) => Promise<Result> {
  let waiting: Waiting<Job, Result>[] = [];
  /** How many waited at the end of the last turn, how many turns they wait, and whether the last one performed was alone. */
  let seen = 0;
  let turns = 0;
  let alone = true;

  function endTurn(): void {
    const { length } = waiting;
    const grows = length > seen && length < MOST_AT_ONCE && turns < MOST_TURNS;
    if (grows && (length > 1 || !alone)) {
      seen = length;
      turns++;
      setImmediate(endTurn);
      return;
    }
    seen = 0;
    turns = 0;
    alone = length === 1;
    flush();
  }

  function flush(): void {
    const jobs = waiting.length > MOST_AT_ONCE ? waiting.splice(0, MOST_AT_ONCE) : waiting;
    if (jobs === waiting) waiting = [];
    else setImmediate(endTurn);
    // All results first, all answers after: a promise resolved in between would bring other code into the loop.
    const settle: (() => void)[] = [];
    for (const { job, resolve, reject } of jobs) settle.push(settled(perform, job, resolve, reject));
    for (const tell of settle) tell();
  }

  return (job) =>
    new Promise((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      if (waiting.length === 1) setImmediate(endTurn);
    });
}

function settled<Job, Result>(
  perform: (job: Job) => Result,
  job: Job,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const result = perform(job);
    return () => resolve(result);
  } catch (error) {
    return () => reject(error instanceof Error ? error : new Error('a signature failed', { cause: error }));
  }
}
