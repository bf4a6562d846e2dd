// Whom the other side of a TLS connection proved to be: a path to the root of the deployment, which TLS itself checks, and the name in the
// certificate, which nobody but the authority gives out. A host name proves nothing here: machines move.

/** The SPIFFE ID of the certificate that was shown; undefined where it has none, or more than one. */
export function spiffeIdOf(certificate) {
  const names = (certificate?.subjectaltname ?? '').split(', ').filter((name) => name.startsWith('URI:'));
  return names.length === 1 ? names[0].slice(4) : undefined;
}

/** For `checkServerIdentity` of node:tls: undefined is "that is who I mean". */
export const onlyThis = (spiffeId) => (_host, certificate) =>
  spiffeIdOf(certificate) === spiffeId
    ? undefined
    : new Error(`this is ${spiffeIdOf(certificate) ?? 'nobody'} and not ${spiffeId}`);
