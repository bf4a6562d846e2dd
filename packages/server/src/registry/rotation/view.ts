import type { CredentialRecord } from '../../storage/credentials.ts';
import { rfc3339 } from '../views.ts';
import { OTHERS } from '../use/credential-instances.ts';
import type { InstanceProgress, RotationProgress } from './progress.ts';

/** A rotation as people and programs see it. */
export interface RotationView {
  credential: string;
  identity: string;
  client_id: string;
  successor: string;
  rotated_by: 'itself' | 'administration';
  rotated_at: string;
  state: RotationProgress['state'];
  ends_at: string;
  window_seconds: number | null;
  seen_enough_at: string | null;
  quiet_at: string;
  successor_used: boolean;
  moved: number;
  waiting: number;
  instances: InstanceView[];
}

interface InstanceView {
  instance: string | null;
  state: InstanceProgress['state'];
  source: string;
  first_seen: string;
  last_seen_with_old: string;
  last_seen_with_new: string | null;
}

export function rotationView(
  old: CredentialRecord & { readonly successor: NonNullable<CredentialRecord['successor']> },
  by: RotationView['rotated_by'],
  clientId: string,
  progress: RotationProgress,
): RotationView {
  const { instances, window, unseenUntil } = progress;
  const moved = instances.filter(({ state }) => state === 'moved').length;
  return {
    credential: old.id,
    identity: old.identityId,
    client_id: clientId,
    successor: old.successor.id,
    rotated_by: by,
    rotated_at: rfc3339(old.successor.since),
    state: progress.state,
    ends_at: rfc3339(old.expiresAt),
    window_seconds: window === undefined ? null : window / 1000,
    seen_enough_at: unseenUntil === undefined ? null : rfc3339(unseenUntil),
    quiet_at: rfc3339(progress.quietFrom),
    successor_used: progress.successorUsed,
    moved,
    waiting: instances.length - moved,
    instances: [...instances].sort(waitingFirst).map(instanceView),
  };
}

function waitingFirst(left: InstanceProgress, right: InstanceProgress): number {
  return Number(left.state === 'moved') - Number(right.state === 'moved');
}

function instanceView(each: InstanceProgress): InstanceView {
  return {
    instance: each.instance === '' ? null : each.instance === OTHERS ? 'others' : each.instance,
    state: each.state,
    source: each.source,
    first_seen: rfc3339(each.firstSeen),
    last_seen_with_old: rfc3339(each.lastWithOld),
    last_seen_with_new: each.lastWithNew === undefined ? null : rfc3339(each.lastWithNew),
  };
}
