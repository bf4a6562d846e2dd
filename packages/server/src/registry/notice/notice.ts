// What a notice says, in the form of Standard Webhooks, "Payload structure": type, timestamp, data.
import type { Actor, ToldChange } from '../../audit/change.ts';
import { rfc3339 } from '../views.ts';

/**
 * One change as others are told of it: ids, names, states, the reason and who. Whoever gets it need not have a right to see the
 * object itself, so nothing else of it is in here: what it is about is asked of the admin API.
 */
export interface Notice {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    /** Id of the audit event. */
    readonly event: string;
    readonly resource: { readonly kind: string; readonly id: string; readonly name?: string | undefined };
    /** Of whom it is about, where that is another than the object: client_id and id. */
    readonly identity?: { readonly id: string; readonly client_id: string } | undefined;
    readonly state?: string | undefined;
    readonly severity?: string | undefined;
    readonly reason?: string | undefined;
    /** client_id, `person:<handle>`, or `countersign` for the authority itself. */
    readonly by: string;
    /** Names of members that differ, never what is in them. */
    readonly changed?: readonly string[] | undefined;
  };
}

type View = Readonly<Record<string, unknown>>;

/** The members that people name such an object by, joined by ` → `. */
const NAMED_BY: Readonly<Record<string, readonly string[]>> = {
  identity: ['client_id'],
  ownership: ['client_id'],
  credential: ['label'],
  access: ['client_id', 'resource'],
  resource_server: ['identifier'],
  trusted_issuer: ['issuer'],
  person: ['handle'],
  ownership_offer: ['client_id', 'to'],
  finding: ['kind'],
  cutoff: ['kind', 'target'],
};
const BOOKKEEPING: ReadonlySet<string> = new Set(['version', 'updated_at', 'cursor']);
const LONGEST_REASON = 1000;

export function noticeOf(actor: Actor, change: ToldChange): Notice {
  const [kind = ''] = change.type.split('.', 1);
  const before = viewOf(change.before);
  const after = viewOf(change.after);
  const view = after ?? before ?? {};
  const reason = change.reason ?? (kind === 'finding' ? textOf(view, 'reason') : undefined);
  return {
    type: change.type,
    timestamp: rfc3339(change.at),
    data: {
      event: change.eventId,
      resource: { kind, id: change.resource, name: nameOf(kind, view) },
      identity: kind === 'identity' ? undefined : identityOf(view),
      state: textOf(view, 'state') ?? textOf(view, 'status'),
      severity: textOf(view, 'severity'),
      reason: reason?.slice(0, LONGEST_REASON),
      by: actor.identity,
      changed: before === undefined || after === undefined ? undefined : changedMembers(before, after),
    },
  };
}

function viewOf(value: unknown): View | undefined {
  return typeof value === 'object' && value !== null ? (value as View) : undefined;
}

function textOf(view: View, member: string): string | undefined {
  const value = view[member];
  return typeof value === 'string' ? value : undefined;
}

function nameOf(kind: string, view: View): string | undefined {
  const parts = (NAMED_BY[kind] ?? ['name']).map((member) => textOf(view, member));
  return parts.every((part) => part !== undefined) ? parts.join(' → ') : undefined;
}

function identityOf(view: View): { id: string; client_id: string } | undefined {
  const [id, client_id] = [textOf(view, 'identity'), textOf(view, 'client_id')];
  return id === undefined || client_id === undefined ? undefined : { id, client_id };
}

function changedMembers(before: View, after: View): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((member) => !BOOKKEEPING.has(member))
    .filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
    .sort();
}
