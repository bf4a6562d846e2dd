// Why the gateway itself refuses a request, and what its caller is told. What is wrong with a token, the verifier says.
import { refusalBody, type Refusal, type RefusalReason } from '@countersign/resource-server';
import type { TargetFault } from '../rules/request-target.ts';

/** Every reason of the gateway's own. For logs and metrics; never sent. */
export type EdgeReason =
  | TargetFault
  | 'host_missing'
  | 'host_repeated'
  | 'host_malformed'
  | 'method_malformed'
  /** A header asks an upstream for another method than the one that was sent. */
  | 'method_override'
  /** A header asks an upstream for another path than the one that was sent. */
  | 'path_override'
  /** A server that ignores letter case would see the path of another rule. */
  | 'path_ambiguous_case'
  /** `Connection` names a header that says who the caller is, so that the next server would drop it. */
  | 'connection_names_identity'
  /** `Countersign_Client_Id`: some upstreams read it as the header that we write. Or that header itself, where ours may not replace it. */
  | 'identity_header_imitated'
  | 'headers_too_large'
  | 'no_route'
  | 'route_denies'
  /** A front proxy that was not declared asks. */
  | 'front_proxy_unknown'
  /** A front proxy does not say what was asked for: its configuration lacks a line. */
  | 'front_proxy_incomplete'
  /** A header of the front proxy is there twice: it adds its own to the caller's instead of replacing that. */
  | 'front_proxy_repeats'
  /** Two lengths, a length beside chunks, another coding than chunks: RFC 9112 §6.1, §6.3. */
  | 'bad_framing'
  | 'body_too_large'
  | 'unsupported_expectation'
  /** `Upgrade` to anything but a WebSocket (RFC 9110 §15.6.2). */
  | 'upgrade_not_supported'
  | 'too_many_requests'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_malformed'
  | 'bug';

export type Reason = EdgeReason | RefusalReason;

/** A refusal as it goes out. */
export interface Refused {
  readonly allowed: false;
  readonly status: number;
  readonly reason: Reason;
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Name of the rule, where one was found. */
  readonly route: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly error?: 'invalid_request' | undefined;
}

const BAD: Answer = { status: 400, error: 'invalid_request' };
const FORBIDDEN: Answer = { status: 403 };

const ANSWERS: { readonly [reason in EdgeReason]: Answer } = {
  target_not_a_path: BAD,
  target_too_long: BAD,
  target_characters: BAD,
  path_bad_escape: BAD,
  path_ambiguous_escape: BAD,
  path_dots: BAD,
  path_trailing_dot: BAD,
  path_empty_segment: BAD,
  path_parameters: BAD,
  path_not_normal: BAD,
  host_missing: BAD,
  host_repeated: BAD,
  host_malformed: BAD,
  method_malformed: BAD,
  method_override: BAD,
  path_override: BAD,
  path_ambiguous_case: BAD,
  connection_names_identity: BAD,
  identity_header_imitated: BAD,
  // RFC 6585 §5.
  headers_too_large: { status: 431, error: 'invalid_request' },
  no_route: FORBIDDEN,
  route_denies: FORBIDDEN,
  front_proxy_unknown: FORBIDDEN,
  front_proxy_incomplete: { status: 500 },
  front_proxy_repeats: BAD,
  bad_framing: BAD,
  // RFC 9110 §15.5.14, §15.5.18, §15.6.2.
  body_too_large: { status: 413, error: 'invalid_request' },
  unsupported_expectation: { status: 417, error: 'invalid_request' },
  upgrade_not_supported: { status: 501 },
  too_many_requests: { status: 503 },
  upstream_unreachable: { status: 502 },
  upstream_timeout: { status: 504 },
  upstream_malformed: { status: 502 },
  bug: { status: 500 },
};

/** The refusal for a reason of the gateway's own. */
export function refuseEdge(reason: EdgeReason, detail?: string, route?: string): Refused {
  const { status, error } = ANSWERS[reason];
  const headers: Record<string, string> = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };
  if (status === 503) headers['Retry-After'] = '5';
  return { allowed: false, status, reason, detail, headers, body: refusalBody(error), route };
}

/** A verifier's refusal as it goes out. */
export function refuseToken(refusal: Refusal, route: string): Refused {
  const { status, reason, detail, error } = refusal;
  const headers = { ...refusal.headers, 'Content-Type': 'application/json' };
  return { allowed: false, status, reason, detail, headers, body: refusalBody(error), route };
}
