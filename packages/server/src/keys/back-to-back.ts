/** Of one turn; the rest waits for the next, so that answers that are ready leave in between. */
const MOST_IN_A_TURN = 64;

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes or verifies signatures back to back: OpenSSL's code and V8's request code evict each other from the processor's
 * caches, and one signature between other work costs up to twice as much as one among its kind. What is asked for in one
 * turn of the event loop is performed at the turn's end, in the order asked.
 * @param perform synchronous; what it throws, its own caller gets
 */
export function backToBack<Job, Result>(perform: (job: Job) => Result): (job: Job) => Promise<Result> {
  let waiting: Waiting<Job, Result>[] = [];

  function flush(): void {
    const jobs = waiting.length > MOST_IN_A_TURN ? waiting.splice(0, MOST_IN_A_TURN) : waiting;
    if (jobs === waiting) waiting = [];
    else setImmediate(flush);
    // All results first, all answers after: a promise resolved in between would bring other code into the loop.
    const settle: (() => void)[] = [];
    for (const { job, resolve, reject } of jobs) settle.push(settled(perform, job, resolve, reject));
    for (const tell of settle) tell();
  }

  return (job) =>
    new Promise((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
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
