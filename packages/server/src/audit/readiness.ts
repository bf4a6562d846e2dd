import type { Clock } from '../clock.ts';
import { newId, type RandomBytes } from '../ids.ts';
import type { AuditLog } from './log.ts';

export interface LogReadinessDeps {
  readonly log: Pick<AuditLog, 'append' | 'healthy'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly node: string;
}

/**
 * Tells whether the log takes events. After a commit that failed it tries with an event of its own, `log.resumed`: a node
 * that is not ready gets no work, so that no other event would ever find out that the disk has room again.
 */
export function createLogReadiness(deps: LogReadinessDeps): () => Promise<boolean> {
  let trying: Promise<boolean> | undefined;

  async function resumes(): Promise<boolean> {
    try {
      await deps.log.append({
        id: newId('evt', deps.random),
        at: new Date(deps.clock.now()).toISOString(),
        type: 'log.resumed',
        outcome: 'success',
        node: deps.node,
      });
      return true;
    } catch {
      return false;
    } finally {
      trying = undefined;
    }
  }

  return () => {
    if (deps.log.healthy()) return Promise.resolve(true);
    return (trying ??= resumes());
  };
}
