/**
 * One leaf of the audit log. Its bytes are RFC 8785 canonical JSON, written here member by member in canonical order
 * because this runs once per token; event.test.ts holds it against the general `canonicalJson`.
 */

export type AuditOutcome = 'success' | 'refused' | 'error';

export interface AuditEvent {
  /** Unique for ever: an event delivered twice is logged once. */
  readonly id: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** `token.issued`, `token.refused`, `token.refusals_summarised`, `<noun>.<verb>`. */
  readonly type: string;
  readonly outcome: AuditOutcome;
  readonly request_id?: string | undefined;
  /**
   * client_id of the identity that proved itself, `person:<handle>` of a person who did, or (no `credential`) what was claimed: see
   * outside-text.ts.
   */
  readonly identity?: string | undefined;
  readonly credential?: string | undefined;
  readonly access?: string | undefined;
  /** Identifier of the resource server, or the id of the record that changed. */
  readonly resource?: string | undefined;
  /** Space-separated, as asked. */
  readonly scopes_asked?: string | undefined;
  /** Space-separated, as put into the token. */
  readonly scopes_held?: string | undefined;
  /** Of the token that was issued, or alone is cut off. */
  readonly jti?: string | undefined;
  /** Seconds for which the token that was issued lives. */
  readonly lifetime?: number | undefined;
  /** jti of the token that this one was exchanged for. */
  readonly parent?: string | undefined;
  /** Client authentication method, or the HTTP method of a change. */
  readonly method?: string | undefined;
  /**
   * Of the proof that was used up for the token, so that it counts no second time: 8 bytes of a digest of its id, and the second until which
   * that is remembered (4 bytes), in base64url. Absent: none was, or it is remembered elsewhere.
   */
  readonly proof?: string | undefined;
  /** Of a refusal the internal reason, never on the wire; of a change what its author gave as one. */
  readonly reason?: string | undefined;
  /** Address of the caller. */
  readonly source?: string | undefined;
  /** Which running copy of the identity asked: the boot id it sends (`Countersign-Instance`). Absent: unknown. */
  readonly instance?: string | undefined;
  /** Of a person who signed in: their handle, who vouched for them, as whom, and when (RFC 3339). Absent: a machine. */
  readonly person?: string | undefined;
  readonly person_issuer?: string | undefined;
  readonly person_subject?: string | undefined;
  readonly signed_in_at?: string | undefined;
  /** Which process of the authority wrote this. */
  readonly node?: string | undefined;
  /** What else there is to know: for a change, `{before, after}`. Already canonical JSON text. */
  readonly detail?: string | undefined;
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
/** Text that JSON writes as it is: what machines' names, ids and scopes are made of. */
const PLAIN = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/;

/** RFC 8785 §3.2.2.2. A lone surrogate has no UTF-8 form: it becomes U+FFFD, so that no event can be unwritable. */
function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text.replace(LONE_SURROGATE, '\uFFFD'));
}

/** Of tokens alone there is one event after another that differs from the one before in little. */
const ISSUED = 'token.issued';
/** Credentials whose last event is remembered; the oldest leave first. */
const MOST_REMEMBERED = 4096;
/** In no text: JSON escapes it where it is quoted, and nothing else has it. */
const HOLE = '\u0001';

/** What one credential's events have in common, in canonical order around what each has of its own. */
interface Frame {
  readonly like: AuditEvent;
  /** Before `at`, `id`, `jti`, `proof`, `request_id` and `seq`, and what comes last. Absent: one alone was seen so far. */
  readonly pieces?: readonly [string, string, string, string, string, string, string] | undefined;
}

const frames = new Map<string, Frame>();

/**
 * The event's canonical bytes as text, with the sequence number the log gave it. Members that this server makes itself
 * (ids, addresses, names of methods and types) are of charsets that JSON writes as they are; quoted is what comes from
 * outside.
 */
export function encodeEvent(event: AuditEvent, seq: number): string {
  if (event.type !== ISSUED || event.jti === undefined || event.request_id === undefined) {
    return encodeWhole(event, seq);
  }
  const pieces = piecesFor(event);
  if (pieces === undefined) return encodeWhole(event, seq);
  const [access, credential, identity, lifetime, proof, resource, source] = pieces;
  return (
    access +
    event.at +
    credential +
    event.id +
    identity +
    event.jti +
    lifetime +
    (event.proof ?? '') +
    proof +
    event.request_id +
    resource +
    seq +
    source
  );
}

function piecesFor(event: AuditEvent): Frame['pieces'] {
  const { credential = '' } = event;
  const frame = frames.get(credential);
  if (frame !== undefined && isLike(frame.like, event)) {
    if (frame.pieces !== undefined) return frame.pieces;
    const made = piecesOf(event);
    frames.set(credential, { like: event, pieces: made });
    return made;
  }
  if (frame === undefined && frames.size >= MOST_REMEMBERED) {
    const oldest = frames.keys().next();
    if (oldest.done !== true) frames.delete(oldest.value);
  }
  frames.set(credential, { like: event });
  return undefined;
}

/** Whether two events differ in nothing but what a frame leaves open. */
function isLike(one: AuditEvent, other: AuditEvent): boolean {
  return (
    one.access === other.access &&
    one.credential === other.credential &&
    one.identity === other.identity &&
    one.resource === other.resource &&
    one.scopes_held === other.scopes_held &&
    one.scopes_asked === other.scopes_asked &&
    one.lifetime === other.lifetime &&
    one.method === other.method &&
    one.source === other.source &&
    one.instance === other.instance &&
    one.node === other.node &&
    one.outcome === other.outcome &&
    one.detail === other.detail &&
    one.parent === other.parent &&
    (one.proof === undefined) === (other.proof === undefined) &&
    one.reason === other.reason &&
    one.person === other.person &&
    one.person_issuer === other.person_issuer &&
    one.person_subject === other.person_subject &&
    one.signed_in_at === other.signed_in_at
  );
}

function piecesOf(event: AuditEvent): Frame['pieces'] {
  const open = { ...event, at: HOLE, id: HOLE, jti: HOLE, proof: event.proof && HOLE, request_id: HOLE };
  // Each piece is a text of its own: what was put together is walked part by part each time it is written.
  const pieces = encodeWhole(open, HOLE)
    .split(HOLE)
    .map((piece) => Buffer.from(piece).toString());
  // Without a proof there is nothing between what follows the token's id and what precedes the request's.
  if (event.proof === undefined) pieces.splice(3, 0, '');
  return pieces.length === 7 ? (pieces as unknown as Frame['pieces']) : undefined;
}

function encodeWhole(event: AuditEvent, seq: number | string): string {
  let text = '{';
  if (event.access !== undefined) text += `"access":"${event.access}",`;
  text += `"at":"${event.at}"`;
  if (event.credential !== undefined) text += `,"credential":"${event.credential}"`;
  if (event.detail !== undefined) text += `,"detail":${event.detail}`;
  text += `,"id":"${event.id}"`;
  if (event.identity !== undefined) text += `,"identity":${quote(event.identity)}`;
  if (event.instance !== undefined) text += `,"instance":"${event.instance}"`;
  if (event.jti !== undefined) text += `,"jti":"${event.jti}"`;
  if (event.lifetime !== undefined) text += `,"lifetime":${event.lifetime}`;
  if (event.method !== undefined) text += `,"method":"${event.method}"`;
  if (event.node !== undefined) text += `,"node":"${event.node}"`;
  text += `,"outcome":"${event.outcome}"`;
  if (event.parent !== undefined) text += `,"parent":"${event.parent}"`;
  if (event.person !== undefined) text += `,"person":${quote(event.person)}`;
  if (event.person_issuer !== undefined) text += `,"person_issuer":${quote(event.person_issuer)}`;
  if (event.person_subject !== undefined) text += `,"person_subject":${quote(event.person_subject)}`;
  if (event.proof !== undefined) text += `,"proof":"${event.proof}"`;
  if (event.reason !== undefined) text += `,"reason":${quote(event.reason)}`;
  if (event.request_id !== undefined) text += `,"request_id":"${event.request_id}"`;
  if (event.resource !== undefined) text += `,"resource":${quote(event.resource)}`;
  if (event.scopes_asked !== undefined) text += `,"scopes_asked":${quote(event.scopes_asked)}`;
  if (event.scopes_held !== undefined) text += `,"scopes_held":${quote(event.scopes_held)}`;
  text += `,"seq":${seq}`;
  if (event.signed_in_at !== undefined) text += `,"signed_in_at":"${event.signed_in_at}"`;
  if (event.source !== undefined) text += `,"source":"${event.source}"`;
  return `${text},"type":"${event.type}"}`;
}

/** What a query gives back: the event with its number. */
export type LoggedEvent = Omit<AuditEvent, 'detail'> & { readonly seq: number; readonly detail?: unknown };

export interface AuditFilter {
  readonly type?: string | undefined;
  readonly identity?: string | undefined;
  readonly jti?: string | undefined;
  readonly parent?: string | undefined;
  readonly requestId?: string | undefined;
  readonly resource?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined;
  /** Epoch ms, exclusive. */
  readonly to?: number | undefined;
}

export interface AuditPageRequest {
  /** Events with a larger seq. 0 = from the first. */
  readonly afterSeq: number;
  /** 1 to 1000. */
  readonly limit: number;
}
