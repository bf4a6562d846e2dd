import { canonicalJson } from '@countersign/tlog';
import type { Clock } from '../clock.ts';
import type { RandomBytes } from '../ids.ts';
import { newId } from '../ids.ts';
import type { Storage, Stores } from '../storage/storage.ts';
import type { AuditEvent } from './event.ts';
import type { AuditLog } from './log.ts';

/** A person who signed in, as an event names them. */
export interface ActingPerson {
  /** `iss` of the trusted issuer that vouched for them. */
  readonly issuer: string;
  /** Their `sub` there: never given to anybody else. */
  readonly subject: string;
  /** What owners are called by: see `owner.person`. */
  readonly handle: string;
  /** Epoch ms at which they proved there who they are. */
  readonly signedInAt: number;
}

/**
 * Who changes something: an authenticated machine, a person who signed in, or the authority itself (a job, the first start, the
 * host's admin).
 */
export interface Actor {
  /** client_id, `person:<handle>`, which no client_id can be, or `countersign` for the authority itself. */
  readonly identity: string;
  /** Absent: a machine. */
  readonly person?: ActingPerson | undefined;
  readonly credential?: string | undefined;
  /** Whom else its token names (RFC 8693 §4.1): client_ids of those in whose name, and through whom, it acts. */
  readonly behind?: readonly string[] | undefined;
  readonly access?: string | undefined;
  readonly requestId?: string | undefined;
  readonly source?: string | undefined;
  /** See `AuditEvent.instance`. */
  readonly instance?: string | undefined;
}

/** What a change tells the log. */
export interface ChangeEvent {
  /** `<noun>.<verb>`, e.g. `identity.suspended`. */
  readonly type: string;
  /** Id of the record that changed. */
  readonly resource: string;
  /** Of the one token that it is about; of a charset that JSON writes as it is. */
  readonly jti?: string | undefined;
  readonly reason?: string | undefined;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change as its event tells it. */
export interface ToldChange extends ChangeEvent {
  /** Of the audit event. */
  readonly eventId: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface ChangeDeps {
  readonly storage: Pick<Storage, 'transaction' | 'outbox'>;
  readonly log: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Name of this process, in each event. */
  readonly node: string;
  /** What else is kept of a change, in its transaction: see registry/keep-of-changes.ts. */
  readonly keep?: (stores: Stores, actor: Actor, changes: readonly ToldChange[]) => Promise<void>;
}

/** Runs changes of the registry so that none is without its event, and no event without its change. */
export interface Changes {
  /**
   * Runs `work` in one transaction in which the events it tells land in the outbox, then brings them to the log, and
   * only then resolves. If the process dies in between, the next start delivers them (deliver-outbox.ts).
   * `AuditUnavailable` when the log refuses: the change is made, its event follows as soon as the log takes it, and the
   * caller is told that it may try again.
   */
  run<T>(actor: Actor, work: (stores: Stores, tell: (event: ChangeEvent) => void) => Promise<T>): Promise<T>;
}

export function createChanges(deps: ChangeDeps): Changes {
  return {
    async run(actor, work) {
      const events: AuditEvent[] = [];
      const result = await deps.storage.transaction(async (stores) => {
        events.length = 0;
        const changes: ToldChange[] = [];
        const told = await work(stores, (event) => {
          const at = deps.clock.now();
          const audited = toAuditEvent(deps, actor, event, at);
          changes.push({ ...event, eventId: audited.id, at });
          events.push(audited);
        });
        await deps.keep?.(stores, actor, changes);
        for (const event of events) {
          await stores.outbox.insert({
            eventId: event.id,
            body: JSON.stringify(event),
            createdAt: deps.clock.now(),
          });
        }
        return told;
      });
      await Promise.all(events.map((event) => deps.log.append(event)));
      await deps.storage.outbox.delete(events.map((event) => event.id));
      return result;
    },
  };
}

/** The members of an event that say which person it was. */
export function personMembers(
  person: ActingPerson | undefined,
): Pick<AuditEvent, 'person' | 'person_issuer' | 'person_subject' | 'signed_in_at'> {
  if (person === undefined) return {};
  return {
    person: person.handle,
    person_issuer: person.issuer,
    person_subject: person.subject,
    signed_in_at: new Date(person.signedInAt).toISOString(),
  };
}

function toAuditEvent(deps: ChangeDeps, actor: Actor, event: ChangeEvent, at: number): AuditEvent {
  const detail: Record<string, unknown> = {};
  if (event.before !== undefined) detail['before'] = event.before;
  if (event.after !== undefined) detail['after'] = event.after;
  return {
    id: newId('evt', deps.random),
    at: new Date(at).toISOString(),
    type: event.type,
    outcome: 'success',
    identity: actor.identity,
    credential: actor.credential,
    access: actor.access,
    request_id: actor.requestId,
    source: actor.source,
    resource: event.resource,
    jti: event.jti,
    reason: event.reason,
    instance: actor.instance,
    ...personMembers(actor.person),
    node: deps.node,
    // Through JSON first: records carry undefined members, which canonical JSON rightly refuses.
    detail: Object.keys(detail).length === 0 ? undefined : canonicalJson(JSON.parse(JSON.stringify(detail))),
  };
}
