// Which certificate a proxy says that its caller has: RFC 9440 §2, §4. Node parses it.
import {
  type CertificateHeaderDialect,
  CERTIFICATE_HEADER_DIALECTS,
  namesCertificate,
  plainAddress,
  readCertificateHeader,
  trustedProxies,
} from '@countersign/protocol';
import { type CertificateHeaderOptions, refuseUnknown, VerifierOptionError } from '../options.ts';
import { type CallerCertificate, ofConnection, peerOf } from './caller-certificate.ts';

/** @throws VerifierOptionError */
export function certificateHeader(given: CertificateHeaderOptions): CallerCertificate {
  const { dialect, proxies } = readSettings(given);
  return (request) => {
    const { rawHeaders = [] } = request;
    const own = ofConnection(request);
    if (!proxies.trusts(plainAddress(peerOf(request).remoteAddress))) {
      return namesCertificate({ rawHeaders }) ? undefined : own;
    }
    // What a proxy shows is its own, and would make all its callers one.
    const named = readCertificateHeader({ rawHeaders }, dialect)?.chain?.[0];
    const differs = own !== undefined && named !== undefined && Buffer.compare(own, named) !== 0;
    return differs ? undefined : named;
  };
}

function readSettings({ dialect, proxies, ...unknown }: CertificateHeaderOptions): {
  readonly dialect: CertificateHeaderDialect;
  readonly proxies: ReturnType<typeof trustedProxies>;
} {
  refuseUnknown(unknown, 'certificateHeader.');
  if (!CERTIFICATE_HEADER_DIALECTS.includes(dialect)) {
    const fix = `take from ${CERTIFICATE_HEADER_DIALECTS.join(' ')}`;
    throw new VerifierOptionError('bad_option', 'certificateHeader.dialect', fix);
  }
  const fix = 'give the addresses or CIDR blocks of your proxies';
  if (!Array.isArray(proxies) || proxies.length === 0) {
    throw new VerifierOptionError('missing_option', 'certificateHeader.proxies', fix);
  }
  try {
    return { dialect, proxies: trustedProxies(proxies) };
  } catch {
    throw new VerifierOptionError('bad_option', 'certificateHeader.proxies', fix);
  }
}
