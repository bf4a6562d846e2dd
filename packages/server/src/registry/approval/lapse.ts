import type { Stores } from '../../storage/storage.ts';
import { replaceAccess } from '../access.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { endRequest } from './request.ts';
import { subjectOf } from './subject.ts';

/** Whether it is due is looked at here: `due` may have been another moment. An access that was only asked for lapses with it. */
export async function lapseRequest(deps: RuleDeps, stores: Stores, tell: Tell, id: string): Promise<void> {
  const request = await stores.approvals.byId(id);
  if (request?.state !== 'pending' || request.expiresAt > deps.clock.now()) return;
  await endRequest(deps, stores, tell, request, 'lapsed', 'nobody decided in time');
  const subject = await subjectOf(stores, request);
  if (subject?.kind !== 'access' || subject.record.state !== 'requested') return;
  const { ends, record } = subject;
  await replaceAccess(deps, stores, tell, ends, record, { ...record, state: 'lapsed' }, 'access.lapsed');
}
