import type { Stores } from '../../storage/storage.ts';
import { replaceAccess } from '../access.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { moveIdentity } from '../lifecycle.ts';
import { endRequest } from './request.ts';
import { subjectOf } from './subject.ts';

const NOBODY = 'nobody decided in time';

/**
 * Whether it is due is looked at here: `due` may have been another moment. An access that was only asked for lapses with
 * it, an identity is rejected.
 */
export async function lapseRequest(deps: RuleDeps, stores: Stores, tell: Tell, id: string): Promise<void> {
  const request = await stores.approvals.byId(id);
  if (request?.state !== 'pending' || request.expiresAt > deps.clock.now()) return;
  await endRequest(deps, stores, tell, request, 'lapsed', NOBODY);
  const subject = await subjectOf(stores, request);
  if (subject?.record.state !== 'requested') return;
  if (subject.kind === 'identity') {
    const moving = { move: 'time_out', reason: NOBODY, actor: { identity: 'countersign' } } as const;
    await moveIdentity(deps, stores, tell, subject.record, moving);
    return;
  }
  const { ends, record } = subject;
  await replaceAccess(deps, stores, tell, ends, record, { ...record, state: 'lapsed' }, 'access.lapsed');
}
