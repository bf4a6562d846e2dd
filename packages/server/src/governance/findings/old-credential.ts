import type { Observation } from '../../registry/finding.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { FindingSeverity } from '../../storage/findings.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { addSuccessor, command } from './commands.ts';
import type { Circumstances, Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

const DAY_MS = 86_400_000;
/** From this share of what its method may last at most a credential is old. */
const OLD_SHARE = 0.8;
/** The end is near from here on, or from the last quarter of a life that is short. */
const END_NEAR_MS = 14 * DAY_MS;
const END_NEAR_SHARE = 0.25;
const END_AT_HAND_MS = 3 * DAY_MS;

/** A credential that is older than it should be, or whose end is near: while somebody can still change it in peace. */
export const oldCredential: Detector = {
  kind: 'old_credential',
  quietMs: 0,
  observe(facts, circumstances) {
    const usable = usableCredentials(facts, circumstances.now);
    return usable.flatMap((credential) => {
      const observed = observe(facts.identity, credential, usable, circumstances);
      return observed === undefined ? [] : [observed];
    });
  },
};

function observe(
  identity: IdentityRecord,
  credential: CredentialRecord,
  usable: readonly CredentialRecord[],
  { now, maximumAge }: Circumstances,
): Observation | undefined {
  const { createdAt, notBeforeAt, expiresAt, material } = credential;
  const most = maximumAge(material.type, identity.environment);
  const age = now - createdAt;
  const left = expiresAt - now;
  const near = left <= Math.min(END_NEAR_MS, (expiresAt - notBeforeAt) * END_NEAR_SHARE);
  const tooOld = age > most;
  if (!near && !tooOld && age < most * OLD_SHARE) return undefined;
  const of = `${material.type} of ${dayOf(createdAt)}`;
  const seen = (severity: FindingSeverity, reason: string, fix: string): Observation => ({
    subject: 'credential',
    subjectId: credential.id,
    severity,
    reason,
    fix,
  });
  // Being replaced it ends by itself, and rotation_stalled says where it does not.
  if (usable.some(({ id }) => id === credential.successor?.id)) return undefined;
  const successor = successorOf(credential, usable);
  if (successor !== undefined) {
    const reason = `${of} has a successor, ${successor.id}, and works still`;
    return seen(tooOld ? 'medium' : 'low', reason, command('credentials', 'revoke', credential.id));
  }
  if (tooOld) {
    const reason = `${of} is older than the ${Math.round(most / DAY_MS)} days that it may last in ${identity.environment}`;
    return seen('high', reason, addSuccessor(identity.clientId, credential));
  }
  if (!near) {
    const reason = `${of} has used up most of the ${Math.round(most / DAY_MS)} days that it may last`;
    return seen('low', reason, addSuccessor(identity.clientId, credential));
  }
  const severity = left <= END_AT_HAND_MS ? 'high' : 'medium';
  const reason = `${of} ends at ${new Date(expiresAt).toISOString()}, and nothing takes its place`;
  // It ends because its identity does: another one would end at the same instant.
  const fix =
    expiresAt >= identity.expiresAt
      ? command('identities', 'update', identity.clientId, '--for', '90d')
      : addSuccessor(identity.clientId, credential);
  return seen(severity, reason, fix);
}

/** A younger one of the same type that works longer. */
function successorOf(
  credential: CredentialRecord,
  usable: readonly CredentialRecord[],
): CredentialRecord | undefined {
  return usable.find(
    (each) =>
      each.material.type === credential.material.type &&
      each.createdAt > credential.createdAt &&
      each.expiresAt > credential.expiresAt,
  );
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
