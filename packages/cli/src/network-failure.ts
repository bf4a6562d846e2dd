import { CommandFailure } from './failure.ts';

/** Codes of sockets, resolvers and TLS → what to tell, and what to do. */
const NETWORK: Readonly<Record<string, readonly [said: string, fix: string | undefined]>> = {
  ECONNREFUSED: ['nothing listens there', 'Is the authority running? Start one with: countersign dev'],
  ECONNRESET: ['the connection was cut', undefined],
  EPIPE: ['the connection was cut', undefined],
  ENOTFOUND: ['its host name is not known', 'Check the host name of the issuer.'],
  EAI_AGAIN: ['its host name could not be looked up', undefined],
  EHOSTUNREACH: ['there is no route to it', undefined],
  ENETUNREACH: ['there is no route to it', undefined],
  ETIMEDOUT: ['it did not answer in time', undefined],
  UND_ERR_CONNECT_TIMEOUT: ['it did not answer in time', undefined],
  UND_ERR_HEADERS_TIMEOUT: ['it did not answer in time', undefined],
  timeout: ['it did not answer in time', undefined],
  'bad port': ['fetch refuses to use that port', 'Name another port: this one is kept for another protocol.'],
  UND_ERR_SOCKET: [
    'the connection was cut',
    'Does it speak TLS there? Then its address begins with https://',
  ],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'Renew the certificate of the authority.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another name',
    'Use the host name of the certificate.',
  ],
  EPROTO: ['it does not speak TLS there', 'Is it an http address (countersign dev --http)?'],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    'it does not speak TLS there',
    'Is it an http address (countersign dev --http)?',
  ],
};

const TRUST_FIX =
  'Name its CA with --ca-file or COUNTERSIGN_CA_FILE; `countersign dev` keeps it at DATA_DIR/ca.pem.';
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function describe(code: string): readonly [said: string, fix: string | undefined] | undefined {
  if (UNTRUSTED.has(code)) return ['its certificate is signed by a CA that is not trusted here', TRUST_FIX];
  return Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
}

/** An error of the network as a failure; undefined when it is none. Looks through `cause`. */
export function networkFailure(error: unknown, who = 'The authority'): CommandFailure | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as NodeJS.ErrnoException).code ?? (at.message === 'bad port' ? at.message : undefined);
    const known = code === undefined ? undefined : describe(code);
    if (known !== undefined) {
      return new CommandFailure('unreachable', `${who} cannot be reached: ${known[0]} (${code}).`, {
        fix: known[1],
        cause: error,
      });
    }
    // Happy eyeballs: one error for each address that was tried.
    if (at instanceof AggregateError) {
      const first = at.errors
        .map((each) => networkFailure(each, who))
        .find((failure) => failure !== undefined);
      if (first !== undefined) return first;
    }
  }
  return undefined;
}
