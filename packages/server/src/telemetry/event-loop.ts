import { performance } from 'node:perf_hooks';

/**
 * Of the time since it was asked last, the share (0 to 1) in which this process's event loop had something to do. A processor
 * that others use makes it busier too: it is about idle moments, not about work.
 */
export function createBusyShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
