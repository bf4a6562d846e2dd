// Alerts: RFC 5246 §7.2, RFC 4279 §2, RFC 6347 §4.1.2.7.

export const ALERT = {
  close_notify: 0,
  handshake_failure: 40,
  illegal_parameter: 47,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  internal_error: 80,
  no_renegotiation: 100,
} as const;

export type AlertName = keyof typeof ALERT;

const WARNING = 1;
const FATAL = 2;
const WARNINGS: ReadonlySet<AlertName> = new Set(['close_notify', 'no_renegotiation']);

export function writeAlert(name: AlertName): Uint8Array {
  return Uint8Array.of(WARNINGS.has(name) ? WARNING : FATAL, ALERT[name]);
}

/** Whether the peer says that it has ended: by close_notify, or by anything fatal. */
export function endsSession(fragment: Uint8Array): boolean {
  return fragment.length === 2 && (fragment[0] === FATAL || fragment[1] === ALERT.close_notify);
}
