import type { Job } from './job.ts';

export interface JobTimers {
  /** Calls `work` once after `ms`; the function it returns prevents that. */
  after(ms: number, work: () => void): () => void;
}

export const systemTimers: JobTimers = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export interface JobRunner {
  /** Runs every job once, in order, and then each at its own time. Resolves after the first round. */
  start(): Promise<void>;
  /** Begins no further run, tells running ones to stop and waits for them. */
  stop(): Promise<void>;
}

export function createJobRunner(deps: {
  readonly jobs: readonly Job[];
  readonly timers: JobTimers;
  /** Told of a run that failed. */
  readonly report: (job: string, error: unknown) => void;
}): JobRunner {
  const stopping = new AbortController();
  const cancels = new Map<Job, () => void>();
  const running = new Set<Promise<void>>();

  async function run(job: Job): Promise<void> {
    try {
      await job.run(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) deps.report(job.name, error);
    }
    if (stopping.signal.aborted) return;
    cancels.set(
      job,
      deps.timers.after(job.everyMs, () => void begin(job)),
    );
  }

  function begin(job: Job): Promise<void> {
    const run_ = run(job).finally(() => running.delete(run_));
    running.add(run_);
    return run_;
  }

  return {
    async start() {
      for (const job of deps.jobs) await begin(job);
    },
    async stop() {
      stopping.abort();
      for (const cancel of cancels.values()) cancel();
      await Promise.all(running);
    },
  };
}
