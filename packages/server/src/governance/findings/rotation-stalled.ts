import type { Observation } from '../../registry/finding.ts';
import type { InstanceProgress } from '../../registry/rotation/progress.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { addSuccessor, command } from './commands.ts';
import type { Detector, RotationSeen } from './detector.ts';
import { usableCredentials } from './usable.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Copies of a client that rotated itself follow each other within minutes: they look for the key at every token. */
const ITSELF_MS = 2 * HOUR_MS;
/** From here on there is no time left to look for anybody. */
const END_AT_HAND_MS = 3 * DAY_MS;
const MOST_NAMED = 5;

/** A rotation in which somebody does not follow: who that is, while there is time; or nothing that works takes its place. */
export const rotationStalled: Detector = {
  kind: 'rotation_stalled',
  quietMs: 0,
  observe(facts, { rotations, now }) {
    return usableCredentials(facts, now).flatMap((credential): readonly Observation[] => {
      const rotation = rotations?.get(credential.id);
      const observed = rotation && observe(facts.identity, credential, rotation, now);
      return observed === undefined ? [] : [{ subject: 'credential', subjectId: credential.id, ...observed }];
    });
  },
};

type Observed = Pick<Observation, 'severity' | 'reason' | 'fix'>;

function observe(
  identity: IdentityRecord,
  credential: CredentialRecord,
  { progress, by }: RotationSeen,
  now: number,
): Observed | undefined {
  const { successor, expiresAt, material } = credential;
  if (successor === undefined) return undefined;
  const of = `${material.type} ${credential.id}`;
  if (progress.state === 'broken') {
    return {
      severity: 'high',
      reason: `${of} ends at ${isoOf(expiresAt)}, and its successor ${successor.id} does not work any more`,
      fix: addSuccessor(identity.clientId, credential),
    };
  }
  if (progress.state !== 'moving' || now - successor.since < graceOf(credential, by, progress.window)) {
    return undefined;
  }
  const left = progress.instances.filter(({ state }) => state !== 'moved');
  if (left.length === 0 && progress.successorUsed) return undefined;
  const who =
    left.length === 0
      ? 'nobody has used its successor yet'
      : `${left.length} of ${progress.instances.length} have not moved to ${successor.id}: ${namesOf(left)}`;
  if (by === 'itself') {
    return {
      severity: 'high',
      reason: `${of} was replaced by whoever held it, and ${who}. If that was none of yours, its key is in wrong hands`,
      fix: command(
        'cutoffs',
        'create',
        '--kind',
        'credential',
        '--id',
        credential.id,
        '--reason',
        'rotated by a stranger',
      ),
    };
  }
  const atHand = expiresAt - now <= END_AT_HAND_MS;
  return {
    severity: atHand ? 'high' : 'medium',
    reason: `${of} ends at ${isoOf(expiresAt)}, and ${who}`,
    fix: atHand
      ? command('credentials', 'update', credential.id, '--for', '14d')
      : command('credentials', 'rotation', credential.id),
  };
}

/** Milliseconds in which nobody is late. */
function graceOf(
  { successor, expiresAt }: CredentialRecord,
  by: RotationSeen['by'],
  window: number | undefined,
): number {
  if (by === 'itself') return ITSELF_MS;
  const half = (expiresAt - (successor?.since ?? expiresAt)) / 2;
  return Math.min(half, window ?? half);
}

function namesOf(left: readonly InstanceProgress[]): string {
  const named = left.slice(0, MOST_NAMED).map(({ instance, source, lastWithOld }) => {
    const name =
      instance === '' ? 'one that does not say which it is' : instance === '*' ? 'others' : instance;
    return `${name}${source === '' ? '' : ` at ${source}`} (last ${isoOf(lastWithOld)})`;
  });
  const more = left.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
