import type { LoggedEvent } from '../../audit/event.ts';
import type { CutoffHit } from './cut-offs-of-token.ts';
import type { IssuedToken } from './issued-token.ts';

/** Where in the story of a token something belongs. */
export type TraceStage =
  | 'request'
  | 'approval'
  | 'access'
  | 'identity'
  | 'credential'
  | 'token'
  | 'use'
  | 'cutoff';

export interface TraceRow {
  at: string;
  stage: TraceStage;
  what: string;
  who: string;
  event: { seq: number; id: string; type: string; request_id: string | null } | null;
}

/** What a change of a record is called; others by their type. */
const WORDS: Readonly<Record<string, string>> = {
  'access.requested': 'asked for access',
  'access.change_requested': 'asked to change the access',
  'access.request_edited': 'changed what was asked for',
  'access.request_voided': 'ended the request',
  'access.approval_given': 'approved; further approvals are needed',
  'access.approved': 'approved, the last that was needed',
  'access.created': 'gave access, no rule asks for approval',
  'access.updated': 'changed the access',
  'identity.approval_given': 'approved; further approvals are needed',
};

const REQUEST = /^\w+\.(?:requested|change_requested|request_edited|request_voided)$/;
const APPROVAL = /^\w+\.(?:approval_given|approved|rejected|change_rejected|rejection_given|lapsed)$/;

export function rowOfChange(event: LoggedEvent): TraceRow {
  const { type, reason } = event;
  const words = WORDS[type] ?? type.replace(/[._]/g, ' ');
  const scopes = type.startsWith('access.') ? scopesIn(event.detail) : undefined;
  const what = scopes === undefined ? words : `${words}: ${scopes.join(' ')}`;
  return rowOf(event, stageOf(type), reason === undefined ? what : `${what} (${reason})`);
}

function stageOf(type: string): TraceStage {
  if (REQUEST.test(type)) return 'request';
  if (APPROVAL.test(type)) return 'approval';
  const [noun] = type.split('.');
  return noun === 'access' || noun === 'identity' || noun === 'credential' ? noun : 'cutoff';
}

/** Of what is asked for, where something is; else of what the access holds then. */
function scopesIn(detail: unknown): readonly string[] | undefined {
  const { after } = (detail ?? {}) as {
    after?: { scopes?: unknown; request?: { content?: { scopes?: unknown } } };
  };
  const scopes = after?.request?.content?.scopes ?? after?.scopes;
  return Array.isArray(scopes) ? scopes.map(String) : undefined;
}

export function rowOfToken({ event, subject }: IssuedToken): TraceRow {
  const what = event.parent === undefined ? 'got a token' : 'exchanged a token for one';
  const forWhom = subject === undefined ? '' : `, in the name of ${subject}`;
  return rowOf(
    event,
    'token',
    `${what} for ${event.resource ?? '?'} with ${event.scopes_held ?? 'no scope'}${forWhom}`,
  );
}

export function rowOfCutoff({ at, target, reason, orderedBy, event }: CutoffHit): TraceRow {
  const what = `cut off the ${target.kind} ${target.target} (${reason})`;
  if (event !== undefined) return rowOf(event, 'cutoff', what);
  return { at: new Date(at).toISOString(), stage: 'cutoff', what, who: orderedBy, event: null };
}

function rowOf(event: LoggedEvent, stage: TraceStage, what: string): TraceRow {
  const { seq, id, type, request_id: requestId } = event;
  return {
    at: event.at,
    stage,
    what,
    who: event.identity ?? 'nobody who proved who it is',
    event: { seq, id, type, request_id: requestId ?? null },
  };
}
