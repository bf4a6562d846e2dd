// Envoy's external authorization over gRPC: its request read, its answer written. envoy.service.auth.v3, by its contract.
import { create } from '@bufbuild/protobuf';
import { readCertificateHeader } from '@countersign/protocol';
import type { Allowed, Decide, Decision } from '../decision/decide.ts';
import { type EdgeRequest, headerNames } from '../decision/edge-request.ts';
import type { IdentityHeaders } from '../decision/identity.ts';
import { refuseEdge, type Refused } from '../decision/refusal.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import {
  type CheckRequest,
  type CheckResponse,
  CheckResponseSchema,
  type HeaderValueOption,
  HeaderValueOptionSchema,
  type HttpRequest,
} from './ext-authz.generated.ts';

export interface CheckDeps {
  readonly decide: Decide;
  readonly identity: IdentityHeaders;
  /** What a caller proves itself with and no upstream gets, in lower case. */
  readonly credentials: readonly string[];
  readonly ledger: Ledger;
}

/** Codes of google.rpc. */
const OK = 0;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
/** HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD. */
const OVERWRITE = 2;

/** Decides about one request. Never rejects: Envoy may be told to let through what it got no answer about. */
export function createCheck(deps: CheckDeps): (request: CheckRequest) => Promise<CheckResponse> {
  return async (message) => {
    const request = readRequest(message);
    let decision: Decision;
    try {
      decision = typeof request === 'string' ? refuseEdge(request) : await deps.decide(request);
    } catch (error) {
      decision = deps.ledger.bug(error);
    }
    deps.ledger.decided('envoy-grpc', typeof request === 'string' ? undefined : request, decision);
    if (!decision.allowed) return denied(decision);
    return allowed(decision, (request as EdgeRequest).rawHeaders, deps);
  };
}

/** What Envoy says of the request that it asks about. */
function readRequest({ attributes }: CheckRequest): EdgeRequest | 'front_proxy_incomplete' {
  const http = attributes?.request?.http;
  if (http === undefined || http.method === '' || http.path === '') return 'front_proxy_incomplete';
  return {
    method: http.method,
    target: http.path,
    hosts: http.host === '' ? [] : [http.host],
    rawHeaders: headersOf(http),
    socket: undefined,
    certificate: certificateOf(attributes?.source?.certificate ?? ''),
  };
}

/** Without the pseudo-headers of HTTP/2, which have fields of their own. */
function headersOf({ headers, headerMap }: HttpRequest): readonly string[] {
  const pairs =
    headerMap === undefined
      ? Object.entries(headers)
      : headerMap.headers.map(({ key, value, rawValue }): [string, string] => [
          key,
          rawValue.length > 0 ? Buffer.from(rawValue).toString('latin1') : value,
        ]);
  return pairs.filter(([name]) => !name.startsWith(':') && name.toLowerCase() !== 'host').flat();
}

/** The form is that of nginx: PEM in percent-encoding. */
function certificateOf(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  return readCertificateHeader({ rawHeaders: ['X-SSL-Client-Cert', text] }, 'nginx')?.chain?.[0];
}

function allowed(
  decision: Allowed,
  rawHeaders: readonly string[],
  { identity, credentials }: CheckDeps,
): CheckResponse {
  const told = decision.identity.filter(([, value]) => value !== '');
  const written = new Set(told.map(([name]) => name.toLowerCase()));
  // Envoy removes after it has written, so what is written may not be in the list.
  const forged = [...headerNames(rawHeaders)].filter((name) => identity.owns(name) && !written.has(name));
  return create(CheckResponseSchema, {
    status: { code: OK },
    httpResponse: {
      case: 'okResponse',
      value: {
        headers: told.map(option),
        headersToRemove: [...credentials, ...forged],
        responseHeadersToAdd: Object.entries(decision.headers).map(option),
      },
    },
  });
}

function denied({ status, headers, body }: Refused): CheckResponse {
  return create(CheckResponseSchema, {
    status: { code: status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED },
    httpResponse: {
      case: 'deniedResponse',
      value: { status: { code: status }, headers: Object.entries(headers).map(option), body },
    },
  });
}

function option([key, value]: readonly [string, string]): HeaderValueOption {
  return create(HeaderValueOptionSchema, {
    header: { key, value },
    append: { value: false },
    appendAction: OVERWRITE,
  });
}
