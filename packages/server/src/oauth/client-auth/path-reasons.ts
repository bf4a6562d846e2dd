// Why the path of a client's certificate does not hold: RFC 5280 §6, as refusals.
import type { PathFault } from '../../x509/path-validation.ts';
import type { RefusalReason } from '../refusal.ts';

export const PATH_REASONS: { readonly [fault in PathFault]: RefusalReason } = {
  untrusted: 'certificate_untrusted',
  bad_signature: 'certificate_untrusted',
  unusable: 'certificate_untrusted',
  not_an_authority: 'certificate_untrusted',
  unknown_critical_extension: 'certificate_untrusted',
  not_yet_valid: 'certificate_not_yet_valid',
  expired: 'certificate_expired',
  weak: 'certificate_weak',
  wrong_purpose: 'certificate_wrong_purpose',
  outside_constraints: 'certificate_outside_constraints',
  revoked: 'certificate_revoked',
  revocation_unknown: 'certificate_revocation_unknown',
};
