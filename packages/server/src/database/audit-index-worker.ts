import { parentPort, workerData } from 'node:worker_threads';
import {
  type AuditIndexOptions,
  type FollowerAnswer,
  type FollowerRequest,
  answerOf,
} from './audit-index.ts';
import { AuditIndexFollower } from './audit-index-follower.ts';
import { loadSqlite } from './sqlite-driver.ts';

/** The thread of the audit index: opens the follower and answers what it is asked, one thing after the other. */

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a thread');

const tell = (answer: FollowerAnswer): void => port.postMessage(answer);
const follower = new AuditIndexFollower(await loadSqlite(), {
  ...(workerData as AuditIndexOptions),
  onProgress: (progress) => tell({ progress }),
});

port.on('message', ({ id, request }: { readonly id: number; readonly request: FollowerRequest }) => {
  try {
    tell({ id, value: answerOf(follower, request) });
  } catch (error) {
    tell({ id, error });
  }
});
